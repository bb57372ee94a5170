import { runDemo } from './demo.ts';
import { type DemoOptions, readOptions, UsageError, usage } from './options.ts';
import { advance, eventOf, openScene } from './scene.ts';
import { clientName } from './scenery.ts';
import { drawScreen, eventLine, statusLine } from './screen.ts';
import { summarize } from './summary.ts';
import { openLines, openScreen } from './terminal.ts';
import { type Course, objections } from './verdict.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // More than one may come, from the terminal and from npm: the first one is enough.
  process.on(name, () => interrupt.abort());
}
// Who reads us has gone away, as head does; there is nobody left to show anything to.
process.stdout.on('error', () => interrupt.abort());

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else process.exitCode = await show(options);
} catch (error) {
  process.exitCode = error instanceof UsageError ? 2 : 1;
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
}

/** Returns the exit code. */
async function show(options: DemoOptions): Promise<number> {
  const course = await runOnDisplay(options);
  if (course === undefined) {
    process.stdout.write('\nNot shown: the demo was stopped before pgpassd was started.\n');
    return 1;
  }
  process.stdout.write(`\n${summarize(course).join('\n')}\n`);
  return objections(course).length === 0 ? 0 : 1;
}

async function runOnDisplay(options: DemoOptions): Promise<Course | undefined> {
  const { stdout } = process;
  let scene = openScene(Date.now(), clientName);
  const display = stdout.isTTY
    ? openScreen(stdout, (rows) => drawScreen(scene, Date.now(), rows))
    : openLines(stdout, () => statusLine(scene, Date.now()));
  try {
    return await runDemo({
      options,
      interrupted: interrupt.signal,
      tell: (happening) => {
        const event = eventOf(scene, happening);
        if (event) display.line(eventLine(event, scene.beganMs));
        scene = advance(scene, happening);
      },
    });
  } finally {
    display.close();
  }
}
