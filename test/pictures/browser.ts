import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../support/postgres/clients.ts';

const browser = findProgram('chromium') ?? findProgram('google-chrome');

/** Whether there is no browser to look at the pictures with. */
export const noBrowser = browser === undefined;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A `text` element as the browser draws it; lengths in pixels of the picture. */
export interface DrawnText extends Rectangle {
  readonly text: string;
  readonly fill: string;
  /** Where each of its characters begins. */
  readonly starts: readonly number[];
  /** How much wider it is than the font alone would make it. */
  readonly stretch: number;
}

export interface DrawnPicture {
  readonly size: Pick<Rectangle, 'width' | 'height'>;
  readonly texts: readonly DrawnText[];
}

/** Has a headless browser draw these SVGs, all in one run, and returns what it has drawn. */
export async function drawInBrowser(svgs: readonly string[]): Promise<readonly DrawnPicture[]> {
  const directory = await mkdtemp(join(tmpdir(), 'pgpassd-browser-'));
  try {
    const page = join(directory, 'page.html');
    const list = JSON.stringify(svgs).replaceAll('<', '\\u003c');
    await writeFile(
      page,
      `<!doctype html><meta charset="utf-8"><body><script>(${lookAt})(${list})</script>`,
    );
    const { stdout } = await promisify(execFile)(
      browser ?? '',
      [
        '--headless',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        // Chromium refuses to sandbox root; the page is ours.
        '--no-sandbox',
        `--user-data-dir=${join(directory, 'profile')}`,
        '--dump-dom',
        `file://${page}`,
      ],
      { env: { PATH: process.env['PATH'], HOME: directory }, maxBuffer: 2 ** 26 },
    );
    const [, seen] = /<title>([^<]*)<\/title>/.exec(stdout) ?? [];
    if (seen === undefined) throw new Error(`the browser reports nothing: ${stdout}`);
    return JSON.parse(decodeURIComponent(seen)) as readonly DrawnPicture[];
  } finally {
    await rm(directory, { recursive: true, maxRetries: 5 });
  }
}

/** Runs in the browser, which gets its source text. */
const lookAt = `(svgs) => {
  const drawn = svgs.map((svg) => {
    const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    document.body.append(root);
    const { width, height } = root.getBoundingClientRect();
    const texts = [...root.querySelectorAll('text')].map((text) => {
      const box = text.getBBox();
      const starts = Array.from({ length: text.getNumberOfChars() }, (_, at) => text.getStartPositionOfChar(at).x);
      const drawnWidth = text.getComputedTextLength();
      text.removeAttribute('textLength');
      return {
        text: text.textContent,
        fill: getComputedStyle(text).fill,
        x: box.x, y: box.y, width: box.width, height: box.height,
        starts,
        stretch: drawnWidth / text.getComputedTextLength(),
      };
    });
    return { size: { width, height }, texts };
  });
  document.title = encodeURIComponent(JSON.stringify(drawn));
}`;
