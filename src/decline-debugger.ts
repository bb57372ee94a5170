/** The thread that Node.js starts the inspector from may be late on a busy machine. */
const LOOKS_AFTER_MS = [0, 100, 1_000, 10_000];

/**
 * Keeps SIGUSR1 from opening Node's inspector, which would hand the tokens to every container of the
 * pod. A handler takes the signal's meaning away from then on; an inspector that a signal opened
 * before is closed as soon as it is there. One that was asked for with `--inspect` stays.
 * https://nodejs.org/docs/latest-v24.x/api/process.html#signal-events
 */
export function declineDebugger(): void {
  process.on('SIGUSR1', () => {});
  const flags = [...process.execArgv, process.env['NODE_OPTIONS'] || ''].join(' ');
  if (/--(inspect(-brk|-wait)?|disable-sigusr1)(?![\w-])/.test(flags)) return;
  for (const delayMs of LOOKS_AFTER_MS) setTimeout(closeInspector, delayMs).unref();
}

function closeInspector(): void {
  void import('node:inspector').then(
    (inspector) => {
      if (inspector.url() !== undefined) inspector.close();
    },
    // A Node.js that was built without it opens none.
    () => undefined,
  );
}
