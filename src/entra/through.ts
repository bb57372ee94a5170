import type { Dispatcher } from 'undici';
import type { Attempt, Way } from './way.ts';

/**
 * Sends by `way`, and leaves no connection behind: a kept one would only outlive its address.
 *
 * @throws the reason of the attempt's signal once it aborts, else whatever `send` throws
 */
export async function through<T>(
  way: Way,
  attempt: Attempt,
  send: (dispatcher: Dispatcher) => Promise<T>,
): Promise<T> {
  const { signal } = attempt;
  const dispatcher = await way.dispatcher(attempt);
  // undici heeds a signal once it is connected, not before: not in a TLS handshake, nor in a CONNECT.
  const breakOff = () => void dispatcher.destroy(signal.reason);
  signal.addEventListener('abort', breakOff, { once: true });
  if (signal.aborted) breakOff();
  try {
    return await send(dispatcher);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', breakOff);
    await dispatcher.destroy();
  }
}
