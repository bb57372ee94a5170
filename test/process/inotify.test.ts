import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openWorkload, passfileWith } from './workload.ts';

/** In a user namespace of its own a process meets a limit of its own: user_namespaces(7). */
const withoutInotify = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"',
];

function canExhaust(): boolean {
  const [program = '', ...args] = withoutInotify;
  return spawnSync(program, [...args, 'true']).status === 0;
}

test.skipIf(!canExhaust())(
  'without inotify instances it starts, keeps the passfile current, and says once that it only polls (needs user namespaces)',
  async () => {
    const { entra, passfile, start } = await openWorkload();
    const pgpassd = start(['run'], { under: withoutInotify });
    await pgpassd.waitFor('token.refreshed');
    await pgpassd.waitFor(({ event, level }) => event === 'watch.failed' && level === 'debug');
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    expect(await readFile(passfile, 'utf8')).toBe(passfileWith(entra.issued[1]));

    const warnings = pgpassd.lines.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      event: 'watch.failed',
      msg: expect.stringContaining('fs.inotify.max_user_instances'),
    });
  },
);

test.skipIf(!canExhaust())(
  'without inotify instances SIGHUP reads the template again (needs user namespaces)',
  async () => {
    const { entra, directory, passfile, start } = await openWorkload();
    const template = join(directory, 'template');
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template's own syntax
    const line = 'server:5432:*:app:${token}\n';
    await writeFile(template, line);
    const pgpassd = start(['run', '--template', template], {
      under: withoutInotify,
      env: { PGPASSD_ENTRIES: undefined },
    });
    await pgpassd.waitFor('token.refreshed');
    await pgpassd.waitFor(({ event, what }) => event === 'watch.failed' && what === 'template');
    await writeFile(template, `# edited\n${line}`);
    pgpassd.signal('SIGHUP');
    await pgpassd.waitFor('token.refreshed');
    expect(await readFile(passfile, 'utf8')).toBe(
      `# edited\nserver:5432:*:app:${entra.issued[1]}\n`,
    );
  },
);
