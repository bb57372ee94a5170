/**
 * Node.js opens the inspector for one signal twice, as soon as it runs a script and when the event loop
 * turns; and the thread that has it do so may be late on a busy machine.
 */
const LOOKS_AFTER_MS = [0, 1, 10, 100, 1_000, 10_000];

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
  closeInspector(LOOKS_AFTER_MS);
}

/** One look after the other: the event loop has to turn between them, however long a start takes. */
function closeInspector([delayMs, ...later]: readonly number[]): void {
  if (delayMs === undefined) return;
  setTimeout(() => {
    void import('node:inspector').then(
      (inspector) => {
        if (inspector.url() !== undefined) inspector.close();
        closeInspector(later);
      },
      // A Node.js that was built without it opens none.
      () => undefined,
    );
  }, delayMs).unref();
}
