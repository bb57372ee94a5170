import { entriesLayout } from '../../src/passfile/layout.ts';
import { createPassfile } from '../../src/passfile/passfile.ts';

/** Prints whether the passfile may be replaced: `node FILE PASSFILE [UID GID]`. */
const [path = '', uid, gid] = process.argv.slice(2);
const owner = uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
const layout = entriesLayout([{ host: 'h', port: '5432', database: null, user: 'me' }]);
const passfile = createPassfile(
  { path, mode: 0o600, owner },
  () => layout,
  () => true,
);
console.log(
  await passfile.claim().then(
    () => 'ours',
    ({ code }) => code,
  ),
);
