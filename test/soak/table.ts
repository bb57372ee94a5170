import type { Sample } from './sample.ts';
import type { Findings, Range } from './verdict.ts';

const columns = [
  'minute',
  'RSS KiB',
  'heap KiB',
  'files',
  'timers',
  'resources',
  'threads',
  'exchanges',
  'failures',
];

export const headings = (): string => line(columns);

export function row(sample: Sample, exchanges: number, failures: number): string {
  const { minute, rssKiB, heapKiB, files, timers, resources, threads } = sample;
  const figures = [rssKiB, heapKiB, files, timers, resources, threads, exchanges, failures];
  return line([minute.toFixed(1), ...figures.map(String)]);
}

const line = (cells: readonly string[]): string =>
  cells.map((cell, index) => cell.padStart(columns[index]?.length ?? 0)).join('  ');

export function lastWords(findings: Findings): string {
  const { rssKiB, rssKiBPerMinute, exchangesPerMinute, objections } = findings;
  return [
    '',
    `RSS after the warm-up: first ${rssKiB.first}, last ${rssKiB.last}, most ${rssKiB.most} KiB`,
    `RSS in the last half: ${rssKiBPerMinute.toFixed(1)} KiB/min`,
    `files ${span(findings.files)}, timers ${span(findings.timers)}, ` +
      `resources ${span(findings.resources)}, threads ${span(findings.threads)}`,
    `exchanges: ${exchangesPerMinute.toFixed(1)} a minute`,
    ...(objections.length === 0 ? ['bounded'] : objections),
  ].join('\n');
}

const span = ({ least, most }: Range): string => `${least} to ${most}`;
