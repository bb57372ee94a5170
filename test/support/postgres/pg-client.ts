/** Run as a program by `nodePostgres`: one statement over `pg`, configured by PG* variables alone. */
import { readFileSync } from 'node:fs';
import { Client } from 'pg';

const [sql = 'select 1'] = process.argv.slice(2);
const { PGSSLMODE: sslmode, PGSSLROOTCERT: rootCert } = process.env;
const ssl = rootCert === undefined ? true : { ca: readFileSync(rootCert, 'utf8') };

const client = new Client({ ssl: sslmode === 'disable' ? false : ssl });
try {
  await client.connect();
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
  for (const row of rows) console.log(row.join('|'));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await client.end();
}
