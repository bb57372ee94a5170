import { publishPassfile, sweepLeftovers } from '../../src/passfile/publish.ts';
import { numberedContent } from './numbered-content.ts';

/** Publishes until it is killed, and notifies the parent after each publication. */
const target = { path: process.argv[2] ?? '', mode: 0o600, owner: undefined };

await sweepLeftovers(target);
for (let number = 0; ; number += 1) {
  await publishPassfile(target, Buffer.from(numberedContent(number)));
  process.send?.(number);
}
