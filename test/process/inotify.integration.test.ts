import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canExhaustInotify, withoutInotify } from './without-inotify.ts';
import { openWorkload, passfileWith } from './workload.ts';

test.skipIf(!canExhaustInotify())(
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

test.skipIf(!canExhaustInotify())(
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
