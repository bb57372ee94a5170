import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMount } from '../support/tmpfs.ts';
import { openWorkload } from './workload.ts';

/** Nobody else listens there; resolv.conf knows no port but 53. */
const silentServer = { address: '127.0.53.53', port: 53 };

test.skipIf(!canMount())(
  'SIGTERM ends it within a second while no DNS server answers (needs to mount)',
  async () => {
    const server = createSocket('udp4').bind(silentServer);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { directory, start } = await openWorkload();
    const resolver = join(directory, 'resolv.conf');
    await writeFile(resolver, `nameserver ${silentServer.address}\n`);
    const pgpassd = start(['run'], {
      under: [
        'unshare',
        '--mount',
        'sh',
        '-c',
        `mount --bind ${resolver} /etc/resolv.conf && exec "$0" "$@"`,
      ],
      env: { AZURE_AUTHORITY_HOST: 'https://login.silent.example/' },
    });
    await once(server, 'message');
    pgpassd.signal('SIGTERM');
    const askedAt = performance.now();
    expect(await pgpassd.exited).toEqual({ code: 0, signal: null });
    // A second is promised, and the resolver goes on for ten. A busy machine gets two more.
    expect(performance.now() - askedAt).toBeLessThan(3_000);
    expect(pgpassd.lines.at(-1)?.event).toBe('stopped');
    expect(pgpassd.errors()).toBe('');
  },
);
