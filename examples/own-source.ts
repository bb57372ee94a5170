// Keeps a passfile current with tokens of your own making.
import { createRefresher, type TokenSource } from 'pgpassd';

const source: TokenSource = async () => ({
  token: `token-of-${new Date().getUTCFullYear()}`,
  expiresAt: new Date(Date.now() + 3_600_000),
});

const stop = new AbortController();
// Not `once`: while a file is written, write-file-atomic ends a process whose only listener has gone.
process.on('SIGTERM', () => stop.abort());
const [passfile = 'pgpass', entry = 'localhost:5432:*:me'] = process.argv.slice(2);
const refresher = await createRefresher({ passfile, entries: [entry], source });
await refresher.run(stop.signal);
