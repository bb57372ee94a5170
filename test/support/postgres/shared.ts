import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ConnectTarget } from './connect-target.ts';

/** Names the socket at which a test run hands out what its files share; see `share.ts`. */
export const shareVariable = 'PGPASSD_TEST_POSTGRES';

/** What a test run has once, made as soon as somebody asks for it. */
export interface Shared {
  /** A server that trusts everyone who reaches it. */
  readonly server: { readonly description: string; readonly connectTarget: ConnectTarget };
  /** The path of a data directory to copy, which takes a fraction of the time of initdb. */
  readonly data: string;
}

/** Undefined outside of a test run. */
export async function shared<What extends keyof Shared>(
  what: What,
): Promise<Shared[What] | undefined> {
  const path = process.env[shareVariable];
  if (path === undefined) return undefined;
  const socket = connect(path);
  socket.end(what);
  const answer = (await json(socket)) as { made: Shared[What] } | { error: string };
  if ('error' in answer) throw new Error(answer.error);
  return answer.made;
}
