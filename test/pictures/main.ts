import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { renderReport } from '../../src/check/report.ts';
import type { Finding } from '../../src/check/step.ts';
import { drawDashboard } from './dashboard.ts';
import { openPod, type Pod, type Replacement } from './pod.ts';
import { drawTerminal } from './terminal.ts';

/**
 * Draws the pictures of the documentation: what the real `pgpassd check` finds in a pod that works and in one that
 * does not, and the dashboard with sample data.
 *
 * Ports, temporary directories, times and users are replaced in the findings before the program's own renderer makes
 * a report of 80 columns from them, so that a picture changes only when pgpassd does.
 */

const COLUMNS = 80;

const pictures = new URL('../../docs/pictures/', import.meta.url);
const dashboard = new URL('../../manifests/monitoring/dashboard.json', import.meta.url);

/** What depends on the machine, its user and the time. */
const everywhere: readonly Replacement[] = [
  [/resolves to [^;]+/g, 'resolves to 203.0.113.10'],
  [/certificate from .+$/g, 'certificate from DigiCert, valid from 2026-01-15 to 2027-01-15'],
  [/\(\d+ ms\)/g, '(9 ms)'],
  [/, \d+ ms$/g, ', 31 ms'],
  [/written [\d.]+ \w+ ago/g, 'written 12 min ago'],
  [/expires in [\d.]+ \w+/g, 'expires in 48 min'],
  [/became valid [\d.]+ s ago/g, 'became valid 720 s ago'],
  [/gave a token in [\d.]+ s/g, 'gave a token in 0.2 s'],
  [/uid \d+/g, 'uid 1000'],
  [/PostgreSQL \d[\d.]*/g, 'PostgreSQL 17.6'],
];

const used = new Set<Replacement>();

await using cleanup = new AsyncDisposableStack();
await mkdir(pictures, { recursive: true });
await save('dashboard.svg', drawDashboard(await readFile(dashboard, 'utf8')));
const pod = await openPod(cleanup);
const stopDaemon = await pod.startDaemon();
await save('check-healthy.svg', await drawCheck(pod, 'pgpassd check: everything works'));
await stopDaemon();
await breakDown(pod);
await save('check-broken.svg', await drawCheck(pod, 'pgpassd check: two things are wrong'));
for (const [changing] of everywhere.filter((replacement) => !used.has(replacement))) {
  throw new Error(
    `no message matches ${changing} any more, so the pictures differ from run to run`,
  );
}

/** The pod runs under another service account than before, and the mode of the passfile has been changed. */
async function breakDown({ azure: { entra, volume, passfile } }: Pod): Promise<void> {
  const subject = 'system:serviceaccount:shop:default';
  await volume.write(await entra.cluster.issueServiceAccountToken({ subject }));
  await chmod(passfile, 0o644);
}

async function drawCheck(pod: Pod, title: string): Promise<string> {
  const findings = await pod.check(['--connect', '--for', pod.connection]);
  const replacements = [...pod.replacements, ...everywhere];
  const command = `pgpassd check --connect \\\n    --for ${replaceAll(pod.connection, replacements)}`;
  const report = renderReport(replaceInFindings(findings, replacements), {
    colour: true,
    columns: COLUMNS,
  });
  return drawTerminal({ title, text: `$ ${command}\n${report}`, columns: COLUMNS });
}

function replaceAll(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((before, replacement) => {
    const after = before.replaceAll(...replacement);
    if (after !== before) used.add(replacement);
    return after;
  }, text);
}

function replaceInFindings(
  findings: readonly Finding[],
  replacements: readonly Replacement[],
): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    found: replaceAll(finding.found, replacements),
    ...(finding.mark === 'wrong' && { remedy: replaceAll(finding.remedy, replacements) }),
  }));
}

async function save(name: string, svg: string): Promise<void> {
  await writeFile(new URL(name, pictures), svg);
  process.stdout.write(`docs/pictures/${name}\n`);
}
