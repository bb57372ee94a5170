import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { Client } from 'pg';

/** Where a PostgreSQL listens: a unix socket by its full path, or a TCP port. */
export type ConnectTarget = { path: string } | { host: string; port: number };

export type Row = Record<string, unknown>;

export const superuser = 'postgres';

export function connectTo(target: ConnectTarget): Socket {
  return connect(target);
}

/** Runs SQL as the superuser of a server that trusts everyone who reaches it. */
export async function runSql(
  target: ConnectTarget,
  text: string,
  database = 'postgres',
): Promise<Row[]> {
  const client = new Client({ ...addressOf(target), user: superuser, password: '', database });
  await client.connect();
  try {
    const result = await client.query<Row>(text);
    return result.rows;
  } finally {
    await client.end();
  }
}

/** `pg` wants the directory of a socket and takes the port from the socket's name. */
function addressOf(target: ConnectTarget): { host: string; port: number } {
  if ('host' in target) return target;
  return { host: dirname(target.path), port: Number(target.path.split('.').at(-1)) };
}
