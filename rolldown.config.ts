import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin, RolldownOptions } from 'rolldown';

/** The program without its node_modules, as the image holds it: a few files, loaded as a command needs them. */
export default {
  input: 'src/main.ts',
  platform: 'node',
  transform: {
    target: 'node24',
    // Packages in CommonJS that ask for their own path; write-file-atomic names its files after it.
    define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' },
  },
  output: {
    dir: 'bundle',
    cleanDir: true,
    chunkFileNames: '[name].js',
    // Names stay, so that the stack of an internal error can be read.
    minify: { compress: true, mangle: false, codegen: true },
  },
  plugins: [thirdPartyLicences()],
} satisfies RolldownOptions;

/** What the licences of the bundled packages ask for: their text beside the copies. */
function thirdPartyLicences(): Plugin {
  return {
    name: 'third-party-licences',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk' ? file.moduleIds : [],
      );
      const directories = new Set(modules.flatMap((id) => packageDirectory(id) ?? []));
      const source = [...directories].sort().map(licenceOf).join('\n');
      this.emitFile({ type: 'asset', fileName: 'THIRD-PARTY-LICENSES', source });
    },
  };
}

function packageDirectory(moduleId: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId)?.[0];
}

/** @throws Error for a package that comes without the text of its licence */
function licenceOf(directory: string): string {
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  const { name, version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const own = files.filter((file) => !file.includes('node_modules'));
  const texts = own.filter((file) => /(^|\/)licen[cs]e[^/]*$/i.test(file)).map(read);
  if (texts.length === 0) texts.push(...own.flatMap((file) => licenceInReadme(file, read)));
  if (texts.length === 0) throw new Error(`${name} comes without its licence`);
  return `## ${name} ${version} (${license})\n\n${texts.map((text) => text.trim()).join('\n\n')}\n`;
}

function licenceInReadme(file: string, read: (file: string) => string): string[] {
  if (!/^readme/i.test(file)) return [];
  return /^#+ *licen[cs]e$(.*)/ims.exec(read(file))?.slice(1) ?? [];
}
