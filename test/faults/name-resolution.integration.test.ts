import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { type Azure, startAzure } from '../postgres/azure.ts';
import { createCa } from '../support/postgres/certificates.ts';
import { startTimeoutMs } from '../support/postgres/server.ts';
import { endure, type Outage } from './outage.ts';
import { noPsql, openPod } from './pod.ts';

const name = 'login.entra.test';

/** Shows a command other files in the place of the two that tell how names resolve. */
const withFiles = (switchFile: string, hostsFile: string): string[] => [
  'unshare',
  '--mount',
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  'sh',
  '-c',
  'mount --bind "$0" /etc/nsswitch.conf && mount --bind "$1" /etc/hosts && shift && exec "$@"',
  switchFile,
  hostsFile,
];

const [program = '', ...args] = withFiles('/etc/nsswitch.conf', '/etc/hosts');
const notHere = noPsql || spawnSync(program, [...args, 'true']).status !== 0;

let azure: Azure;

beforeAll(async () => {
  azure = await startAzure({});
}, startTimeoutMs);
afterAll(() => azure.close());

test.skipIf(notHere)(
  'an application notices nothing of a name that does not resolve for a while (needs unshare and psql)',
  async (context) => {
    const ca = await createCa();
    const { certPem: cert, keyPem: key } = await ca.issue({ hosts: [name] });
    const pod = await openPod(azure, context, { tls: { cert, key } });
    const put = async (file: string, content: string) => {
      const path = join(dirname(azure.passfile), file);
      await writeFile(path, content);
      return path;
    };
    const known = `127.0.0.1 ${name}\n`;
    const caFile = await put('ca.crt', ca.certPem);
    const under = withFiles(
      await put('nsswitch.conf', 'hosts: files\n'),
      await put('hosts', known),
    );
    const outage: Outage = {
      name: 'a name that does not resolve',
      told: { reason: 'entra.unreachable' },
      remedy: /the DNS of the pod/,
      begin: () => put('hosts', ''),
      end: () => put('hosts', known),
    };
    const env = { AZURE_AUTHORITY_HOST: `https://${name}:${pod.entra.port}/` };
    await endure(pod, [outage], context, { under, env, args: ['--ca-file', caFile] });
  },
);
