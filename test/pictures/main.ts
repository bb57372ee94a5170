import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { renderReport } from '../../src/check/report.ts';
import { Releases } from '../demo/releases.ts';
import { drawDashboard, readDashboard } from './dashboard.ts';
import { openPod, type Pod } from './pod.ts';
import { type Replacement, steady, steadyFindings } from './steady.ts';
import { drawTerminal } from './terminal.ts';

/**
 * Draws the README's pictures anew: what the real `pgpassd check` finds in a pod that works and in
 * one that does not, and where the panels of the dashboard are.
 *
 * Ports, temporary directories, times and users are replaced in what was found, and only then is it
 * made a report of 80 columns, by the program's own renderer: a picture changes when pgpassd does.
 */

const COLUMNS = 80;

const pictures = new URL('../../docs/pictures/', import.meta.url);
const dashboard = new URL('../../manifests/monitoring/dashboard.json', import.meta.url);

/** Whatever the machine, its user and the hour. */
const anywhere: readonly Replacement[] = [
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

const releases = new Releases();
try {
  await mkdir(pictures, { recursive: true });
  await save('dashboard.svg', drawDashboard(readDashboard(await readFile(dashboard, 'utf8'))));
  const pod = await openPod(releases);
  const stop = await pod.keepCurrent();
  await save('check-healthy.svg', await drawCheck(pod, 'pgpassd check: all is well'));
  await stop();
  await breakDown(pod);
  await save('check-broken.svg', await drawCheck(pod, 'pgpassd check: what is wrong'));
} finally {
  await releases.run();
}

/** The pod runs under another service account than before, and something has loosened the passfile. */
async function breakDown({ azure: { entra, volume, passfile } }: Pod): Promise<void> {
  const subject = 'system:serviceaccount:shop:default';
  await volume.write(await entra.cluster.issueServiceAccountToken({ subject }));
  await chmod(passfile, 0o644);
}

async function drawCheck(pod: Pod, title: string): Promise<string> {
  const findings = await pod.check(['--connect', '--for', pod.connection]);
  const replacements = [...pod.replacements, ...anywhere];
  const command = `pgpassd check --connect \\\n    --for ${steady(pod.connection, replacements)}`;
  const report = renderReport(steadyFindings(findings, replacements), {
    colour: true,
    columns: COLUMNS,
  });
  return drawTerminal({ title, text: `$ ${command}\n${report}`, columns: COLUMNS });
}

async function save(name: string, svg: string): Promise<void> {
  await writeFile(new URL(name, pictures), svg);
  process.stdout.write(`docs/pictures/${name}\n`);
}
