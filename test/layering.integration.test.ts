import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Each breaks one rule of ARCHITECTURE.md; the linter must name the rule, and find nothing in `allowed`. */
const broken: Record<string, { code: string; says: RegExp }> = {
  'src/support/imports-a-stage.ts': {
    code: `export { scopeOf } from '../entra/request.ts';`,
    says: /support imports no other folder/,
  },
  'src/federated-token/imports-another-stage.ts': {
    code: `export { scopeOf } from '../entra/request.ts';`,
    says: /stage imports only itself/,
  },
  'src/entra/imports-another-stage.ts': {
    code: `export { formatLine } from '../passfile/format.ts';`,
    says: /stage imports only itself/,
  },
  'src/passfile/imports-the-loop.ts': {
    code: `export { retryDelayMs } from '../refresh/schedule.ts';`,
    says: /stage imports only itself/,
  },
  'src/config/imports-an-effect.ts': {
    code: `export { createExchange } from '../entra/exchange.ts';`,
    says: /config imports support/,
  },
  'src/refresh/imports-a-command.ts': {
    code: `export { run } from '../commands/run.ts';`,
    says: /refresh imports the stages/,
  },
  'src/refresh/imports-the-settings.ts': {
    code: `export { parseEntries } from '../config/entry.ts';`,
    says: /refresh imports the stages/,
  },
  // In place of the one that may parse entries.
  'src/refresh/create-refresher.ts': {
    code: `export { options } from '../config/options.ts';`,
    says: /create-refresher also parses entries/,
  },
  'src/refresh/imports-an-observer.ts': {
    code: `export { describeEvent } from '../observe/event-logger.ts';`,
    says: /refresh imports the stages/,
  },
  'src/observe/imports-a-stage.ts': {
    code: `export { publishPassfile } from '../passfile/publish.ts';`,
    says: /observe listens/,
  },
  'src/sources/imports-a-command.ts': {
    code: `export { run } from '../commands/run.ts';`,
    says: /sources put stages together/,
  },
  'src/check/steps/imports-a-command.ts': {
    code: `export { run } from '../../commands/run.ts';`,
    says: /check uses the stages and sources/,
  },
  'src/commands/imports-the-edge.ts': {
    code: `export { help } from '../cli.ts';`,
    says: /Only program.ts imports the command line/,
  },
  'src/entra/decides-with-the-disk.ts': {
    code: `export { readFile } from 'node:fs/promises';`,
    says: /Node.js builtin module/,
  },
  'src/refresh/reads-the-time.ts': {
    code: 'export const nowMs = () => Date.now();',
    says: /take a Clock/,
  },
  'src/refresh/makes-a-date.ts': {
    code: 'export const now = () => new Date();',
    says: /take a Clock/,
  },
  'src/refresh/rolls-dice.ts': {
    code: 'export const roll = () => Math.random();',
    says: /random number/,
  },
  'src/refresh/sets-a-timer.ts': {
    code: 'setTimeout(() => undefined, 1);',
    says: /global variable setTimeout/,
  },
  'src/config/reads-the-process.ts': {
    code: 'export const home = () => process.env["HOME"];',
    says: /global variable process/,
  },
  'src/observe/unwraps-a-secret.ts': {
    code: 'export const text = (secret: { unwrap(): string }) => secret.unwrap();',
    says: /unwrapped in three places/,
  },
  'src/commands/ends-the-process.ts': {
    code: 'process.exit(1);',
    says: /Only main.ts ends the process/,
  },
  'src/refresh/uses-a-package-of-the-world.ts': {
    code: `import { watch } from 'chokidar';\nwatch('.');`,
    says: /packages that touch the world/,
  },
  'test/entra/judges-time.test.ts': {
    code: 'export const nowMs = () => performance.now();',
    says: /global variable performance/,
  },
  'src/entra/grew-too-long.ts': {
    code: Array.from({ length: 401 }, (_, index) => `export const line${index} = ${index};`).join(
      '\n',
    ),
    says: /400/,
  },
};

const allowed: Record<string, string> = {
  'src/entra/uses-support.ts': `export { Secret } from '../support/secret.ts';`,
  'src/refresh/uses-stages.ts': `export { scopeOf } from '../entra/request.ts';`,
  'src/config/uses-vocabulary.ts': `export { ANY } from '../passfile/format.ts';`,
  'src/check/uses-a-source.ts': `export { openSource } from '../sources/open.ts';`,
  'src/commands/uses-the-clock.ts': 'export const nowMs = () => Date.now();',
  'test/entra/judges-time.timing.test.ts': 'export const nowMs = () => performance.now();',
  'src/refresh/parses-a-date.ts': `export const epochMs = Date.parse('1970-01-01');`,
};

const root = fileURLToPath(new URL('..', import.meta.url));
const findings = new Map<string, string>();
let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'pgpassd-layering-'));
  for (const name of ['src', 'lint', 'biome.jsonc', 'package.json']) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  const sources = Object.entries(broken).map(([path, { code }]) => [path, code] as const);
  for (const [path, code] of [...sources, ...Object.entries(allowed)]) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), `${code}\n`);
  }
  for (const { file, message } of await lint()) {
    findings.set(file, `${findings.get(file) ?? ''}${message}\n`);
  }
});
afterAll(() => rm(copy, { recursive: true, force: true }));

async function lint(): Promise<{ file: string; message: string }[]> {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const flags = ['--reporter=json', '--max-diagnostics=none', '--vcs-enabled=false'];
  const report = await new Promise<string>((resolve) => {
    // It ends non-zero, as it should: what counts is the report.
    execFile(biome, ['lint', ...flags, 'src', 'test'], { cwd: copy }, (_, stdout) =>
      resolve(stdout),
    );
  });
  const { diagnostics } = JSON.parse(report) as {
    diagnostics: { location: { path: string }; message: string; advices?: unknown }[];
  };
  return diagnostics.map(({ location, ...rest }) => ({
    file: location.path,
    message: JSON.stringify(rest),
  }));
}

test.each(Object.entries(broken))('the check refuses %s', (file, { says }) => {
  expect(findings.get(file)).toMatch(says);
});

test('it finds nothing in the sources themselves, nor in what is allowed', () => {
  expect([...findings.keys()].filter((file) => !(file in broken))).toEqual([]);
});
