import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Manifest } from './kubectl.ts';

/** The releases that npm has types of, generated from Kubernetes' OpenAPI documents. */
export const releases = ['1.29', '1.33', '1.36'] as const;

type Release = (typeof releases)[number];

export interface Case {
  readonly release: Release;
  readonly manifest: Manifest;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * What is wrong with each manifest in the eyes of a release of Kubernetes. The compiler is the judge:
 * it refuses unknown fields, values of a wrong type and missing fields in `literal satisfies Type`.
 */
export function findProblems(cases: readonly Case[]): readonly (readonly string[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'pgpassd-schema-'));
  try {
    for (const [index, each] of cases.entries()) {
      writeFileSync(join(folder, `case-${index}.mts`), asModule(each));
    }
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { types: [] },
      include: ['*.mts'],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout, status } = spawnSync(process.execPath, [compiler, '--pretty', 'false'], {
      cwd: folder,
      encoding: 'utf8',
    });
    const problems = cases.map((_, index) => problemsOf(index, stdout));
    const told = problems.some(({ length }) => length > 0);
    if ((status !== 0) !== told) throw new Error(`The compiler ended with ${status}: ${stdout}`);
    return problems;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function asModule({ release, manifest }: Case): string {
  const kinds = JSON.stringify(join(root, `test/manifests/schema/kubernetes-${release}.ts`));
  const kind = JSON.stringify(`${manifest.apiVersion} ${manifest.kind}`);
  return [
    `import type { Kinds } from ${kinds};`,
    `export const manifest = ${JSON.stringify(manifest, null, 2)} satisfies Kinds[${kind}];`,
  ].join('\n');
}

/** The compiler says `case-0.mts(12,7): error TS2353: …`, and goes on in indented lines. */
function problemsOf(index: number, output: string): readonly string[] {
  const problem = new RegExp(`^case-${index}\\.mts\\(.*\\): error TS\\d+: (.*(?:\\n  .*)*)`, 'gm');
  return [...output.matchAll(problem)].map(([, text = '']) => text);
}
