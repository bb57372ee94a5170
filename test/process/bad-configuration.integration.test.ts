import { describe, expect, test } from 'vitest';
import { namesIn, openWorkload, sentencesOf } from './workload.ts';

describe('a bad configuration', () => {
  test('ends 2 with every problem at once, before anything is touched', async () => {
    const { entra, directory, start } = await openWorkload();
    const pgpassd = start(['once', '--timeout', 'soon', '--mode', '0644', '--owner', 'app'], {
      env: {
        AZURE_TENANT_ID: '',
        PGPASSD_REFRESH_FRACTOIN: '0.5',
        AZURE_AUTHORITY_HOST: 'http://a',
      },
    });
    expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
    const sentences = sentencesOf(pgpassd.errors());
    const reported = ['--timeout: ', '--mode: ', '--owner: ', '--tenant-id (AZURE_TENANT_ID, '];
    reported.push(
      'PGPASSD_REFRESH_FRACTOIN is not a setting; did you mean PGPASSD_REFRESH_FRACTION?',
    );
    reported.push('AZURE_AUTHORITY_HOST: use https');
    for (const start of reported) {
      expect(
        sentences.filter((sentence) => sentence.startsWith(start)),
        start,
      ).toHaveLength(1);
    }
    expect(sentences).toHaveLength(reported.length + 1);
    expect(sentences.at(-1)).toBe('See pgpassd once --help for every setting.');
    expect(pgpassd.lines).toEqual([]);
    expect(entra.requests).toEqual([]);
    expect(await namesIn(directory)).toEqual([]);
  });

  test.each(['run', 'once', 'wait', 'check'])(
    'of %s ends 2 with a mistyped flag alone, however much is missing',
    async (command) => {
      const { entra, directory, start } = await openWorkload();
      const env = { PGPASSFILE: '', AZURE_TENANT_ID: '', PGPASSD_TIMEOUT: 'soon' };
      const pgpassd = start([command, '--pasfile', '/pgpass/pgpass'], { env });
      expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
      expect(sentencesOf(pgpassd.errors())).toEqual([
        '--pasfile is not a setting; did you mean --passfile?',
        `See pgpassd ${command} --help for every setting.`,
      ]);
      expect(pgpassd.output()).toBe(pgpassd.errors());
      expect(entra.requests).toEqual([]);
      expect(await namesIn(directory)).toEqual([]);
    },
  );

  test.each([
    [['onec'], 'onec is not a command; did you mean once?'],
    [['start'], 'start is not a command'],
    [['run', '--', 'psql'], 'pgpassd run takes no program after --; pgpassd wait does'],
  ])('is a command line that is not understood, too: %s', async (args, sentence) => {
    const { start } = await openWorkload();
    const pgpassd = start(args);
    expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
    expect(sentencesOf(pgpassd.errors())[0]).toBe(sentence);
  });
});
