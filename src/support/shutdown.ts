/**
 * From being asked to stop to the end of the process. The interface allows a second, of which the
 * rest is for Node.js to be gone on a busy machine. What hangs by then, on a dead disk for one, is
 * broken off: it must not make the pod wait for its kill.
 */
export const SHUTDOWN_MS = 600;

/** A write that `once` has begun is seen to its end, unless its volume does not answer. */
export const LONGEST_LAST_WRITE_MS = 0.5 * SHUTDOWN_MS;

/** A request that has begun is answered; a client who dawdles must not hold up the end. */
export const LONGEST_FAREWELL_MS = 0.5 * SHUTDOWN_MS;

/** Comes after either: a reader of the log who stalls must not hold up the end either. */
export const LONGEST_LOG_CLOSE_MS = 0.4 * SHUTDOWN_MS;
