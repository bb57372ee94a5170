const columns = ['bytes', 'series', 'render p50', 'p99', 'scrape p50', 'p99', 'CPU of it'];
const NAME_WIDTH = 32;

export const heading = (): string => line('', columns);

interface Figures {
  readonly name: string;
  readonly body: string;
  readonly renderMs: readonly number[];
  readonly scrapeMs: readonly number[];
  readonly cpuMs: readonly number[];
}

export function row({ name, body, renderMs, scrapeMs, cpuMs }: Figures): string {
  const series = body.split('\n').filter((each) => each !== '' && !each.startsWith('#')).length;
  const times = [
    quantile(renderMs, 0.5),
    quantile(renderMs, 0.99),
    quantile(scrapeMs, 0.5),
    quantile(scrapeMs, 0.99),
    mean(cpuMs),
  ];
  return line(name, [
    String(Buffer.byteLength(body)),
    String(series),
    ...times.map((ms) => ms.toFixed(2)),
  ]);
}

function line(name: string, cells: readonly string[]): string {
  const padded = cells.map((cell, index) => cell.padStart(columns[index]?.length ?? 0));
  return `${[name.padEnd(NAME_WIDTH), ...padded].join('  ')}\n`;
}

/** The smallest value that this share of them does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The system counts CPU time in coarse steps: only on average is it right. */
function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
