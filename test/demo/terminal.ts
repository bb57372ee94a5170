import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';

/** Where the demo is shown while it runs. */
export interface Display {
  /** Prints a line, unless there is a screen that shows it anyway. */
  line(text: string): void;
  /** Shows the last state and restores the terminal. */
  close(): void;
}

const FRAME_INTERVAL_MS = 100;
const STATUS_INTERVAL_MS = 1_000;

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** A line that wraps would take two rows, and the cursor would not move up far enough. */
const CLIP_LINES = '\x1b[?7l';
const WRAP_LINES = '\x1b[?7h';
const CLEAR_TO_END_OF_LINE = '\x1b[K';
const CLEAR_TO_END_OF_SCREEN = '\x1b[J';

/** Redraws the frame in the same place. */
export function openScreen(terminal: WriteStream, frame: (rows: number) => string[]): Display {
  let drawnLines = 0;
  const draw = () => {
    // A line that has scrolled away cannot be redrawn, and the cursor needs the last row.
    const rows = Math.max(1, terminal.rows - 1);
    const lines = frame(rows).slice(0, rows);
    const coloured = terminal.hasColors() ? lines : lines.map(stripVTControlCharacters);
    const up = drawnLines > 0 ? `\x1b[${drawnLines}A` : '';
    const body = coloured.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join('');
    terminal.write(`\r${up}${body}${CLEAR_TO_END_OF_SCREEN}`);
    drawnLines = lines.length;
  };
  terminal.write(HIDE_CURSOR + CLIP_LINES);
  draw();
  const drawing = setInterval(draw, FRAME_INTERVAL_MS);
  return {
    line: () => {},
    close: () => {
      clearInterval(drawing);
      draw();
      terminal.write(WRAP_LINES + SHOW_CURSOR);
    },
  };
}

/** Prints lines as they come, and the state once a second. */
export function openLines(stream: NodeJS.WritableStream, status: () => string): Display {
  const print = (text: string) => void stream.write(`${text}\n`);
  const printing = setInterval(() => print(status()), STATUS_INTERVAL_MS);
  return {
    line: print,
    close: () => clearInterval(printing),
  };
}
