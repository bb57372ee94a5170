import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseLine } from '../../src/passfile/format.ts';
import { findLeaks } from '../support/leak-check.ts';
import { openWorkload } from './workload.ts';

/** What no webhook sets where there is no workload identity. */
const alone = { AZURE_TENANT_ID: '', AZURE_CLIENT_ID: '', AZURE_FEDERATED_TOKEN_FILE: '' };

const rdsToken = 'db.example:5432/?Action=connect&DBUser=app&X-Amz-Signature=0123456789abcdef%2F';

test('the token of a command gets into the passfile, and nowhere else', async () => {
  const { entra, passfile, start } = await openWorkload();
  const command = `sh -c "echo logged in >&2; echo '${rdsToken}'"`;
  const args = ['once', '--token-command', command, '--token-lifetime', '15m'];
  const pgpassd = start(args, { env: alone });
  expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 0, signal: null });
  const [line = ''] = (await readFile(passfile, 'utf8')).split('\n');
  expect(parseLine(line)?.password).toBe(rdsToken);
  expect(entra.requests).toHaveLength(0);
  expect(findLeaks(pgpassd.output(), [rdsToken])).toEqual([]);
  expect(pgpassd.lines.map(({ msg }) => msg)).toContain('logged in');
});

test('a command that fails is told with its code and the first line of its stderr', async () => {
  const { start } = await openWorkload();
  const command = 'sh -c "echo not logged in >&2; echo more >&2; exit 3"';
  const pgpassd = start(['once', '--token-command', command, '--timeout', '10s'], { env: alone });
  expect((await pgpassd.exited).code).toBe(5);
  expect(pgpassd.errors()).toMatch(/3.*not logged in/);
  expect(pgpassd.errors()).not.toContain('more');
});

test('a command line that is none is a configuration error', async () => {
  const { start } = await openWorkload();
  const pgpassd = start(['once', '--token-command', `az "account`], { env: alone });
  expect((await pgpassd.exited).code).toBe(2);
  expect(pgpassd.errors()).toContain('--token-command');
});
