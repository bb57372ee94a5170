import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { openHttpServer, type Views } from '../../src/observe/http-server.ts';
import { pages } from './pages.ts';
import { heading, row } from './table.ts';

/** What a scrape costs: to put the page together, and as a whole over the loopback. Prints, judges nothing. */

const ROUNDS = 2_000;
/** Until the code is compiled. */
const WARM_UP_ROUNDS = 500;

const views: Views = new Map(
  pages.map(({ render }, index) => [
    `/${index}`,
    async () => ({ status: 200, contentType: 'text/plain', body: await render() }),
  ]),
);
const server = await openHttpServer({ host: '127.0.0.1', port: 0 }, views);

/** As Prometheus does, but on a connection of its own: pgpassd closes it after each answer. */
async function scrape(index: number): Promise<string> {
  const asking = get({ agent: false, host: '127.0.0.1', port: server.port, path: `/${index}` });
  const [response] = await once(asking, 'response');
  return await text(response);
}

async function tookMs(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

const measured = pages.map(({ name, render }) => ({
  name,
  render,
  renderMs: [] as number[],
  scrapeMs: [] as number[],
  cpuMs: [] as number[],
}));
// In turns, so that whatever slows the machine down slows all of them.
for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
  for (const [index, { render, renderMs, scrapeMs, cpuMs }] of measured.entries()) {
    const rendered = await tookMs(render);
    const before = process.cpuUsage();
    const scraped = await tookMs(() => scrape(index));
    const { user, system } = process.cpuUsage(before);
    if (round < 0) continue;
    renderMs.push(rendered);
    scrapeMs.push(scraped);
    cpuMs.push((user + system) / 1_000);
  }
}

process.stdout.write(
  `Node.js ${process.versions.node}, ${ROUNDS} scrapes each, in milliseconds; client and server are one process\n\n`,
);
process.stdout.write(heading());
for (const [index, figures] of measured.entries()) {
  process.stdout.write(row({ ...figures, body: await scrape(index) }));
}
await server.close(Promise.resolve());
