import { psql, type QueryOptions } from '../support/postgres/clients.ts';
import type { ClientResult } from '../support/postgres/running-client.ts';

/** The first refusal; every connect before it was let in. */
export async function untilRefused(client: QueryOptions): Promise<ClientResult> {
  for (;;) {
    const result = await psql(client);
    if (result.code !== 0) return result;
  }
}

/** The first connect that is let in; every one before it was refused. */
export async function untilLetIn(client: QueryOptions): Promise<ClientResult> {
  for (;;) {
    const result = await psql(client);
    if (result.code === 0) return result;
  }
}
