import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { entriesLayout } from '../../src/passfile/layout.ts';
import { createPassfile } from '../../src/passfile/passfile.ts';
import { KnownSecrets } from '../../src/support/secret.ts';
import { unsignedJwt } from '../support-units/unsigned-jwt.ts';

const asRoot = process.getuid?.() === 0;
const layout = entriesLayout([{ host: 'h', port: '5432', database: null, user: 'me' }]);
const ours = layout.render(unsignedJwt({ iat: 1_700_000_000, exp: 1_700_003_600 }));

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pgpassd-adopt-'));
  path = join(directory, 'pgpass');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function adopt(content: string | Buffer, uid?: number) {
  await writeFile(path, content, { mode: 0o600 });
  if (uid !== undefined) await chown(path, uid, uid);
  const secrets = new KnownSecrets();
  const passfile = createPassfile(
    { path, mode: 0o600, owner: undefined },
    () => layout,
    () => true,
    { secrets },
  );
  return { adopted: await passfile.adopt(), secrets: secrets.all.length };
}

describe('what is in place at the start', () => {
  test('gives its token, and its passwords are known', async () => {
    expect(await adopt(ours)).toMatchObject({ adopted: { token: {} }, secrets: 1 });
  });

  test.skipIf(!asRoot)(
    'of another user gives no token, but its passwords are known (as root)',
    async () => {
      expect(await adopt(ours, 1234)).toEqual({ adopted: undefined, secrets: 1 });
    },
  );

  test('of more lines than a passfile may have is not looked at', async () => {
    const lines = 'h:5432:*:me:hunter2secret\n'.repeat(100_001);
    expect(await adopt(lines)).toEqual({ adopted: undefined, secrets: 0 });
  });
});
