/**
 * From the request to stop to the end of the process. A second is documented; the rest of it is
 * left to Node.js, which exits slowly on a busy machine. What still hangs by then, such as a write to
 * a dead disk, is abandoned, so that the pod need not wait for SIGKILL.
 */
export const SHUTDOWN_MS = 600;

/** How long `once` waits for a write in progress, in case its volume does not answer. */
export const LONGEST_LAST_WRITE_MS = 0.5 * SHUTDOWN_MS;

/** How long requests in progress are waited for, in case a client is slow. */
export const LONGEST_FAREWELL_MS = 0.5 * SHUTDOWN_MS;

/** How long the log may take to close after either, in case its reader has stalled. */
export const LONGEST_LOG_CLOSE_MS = 0.4 * SHUTDOWN_MS;
