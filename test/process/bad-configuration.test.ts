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
    const told = ['--timeout: ', '--mode: ', '--owner: ', '--tenant-id (AZURE_TENANT_ID, '];
    told.push('PGPASSD_REFRESH_FRACTOIN is not a setting; did you mean PGPASSD_REFRESH_FRACTION?');
    told.push('AZURE_AUTHORITY_HOST: use https');
    for (const start of told) {
      expect(
        sentences.filter((sentence) => sentence.startsWith(start)),
        start,
      ).toHaveLength(1);
    }
    expect(sentences).toHaveLength(told.length + 1);
    expect(sentences.at(-1)).toBe('See pgpassd once --help for every setting.');
    expect(pgpassd.lines).toEqual([]);
    expect(entra.requests).toEqual([]);
    expect(await namesIn(directory)).toEqual([]);
  });

  test('is a command that does not exist, too', async () => {
    const { start } = await openWorkload();
    const pgpassd = start(['onec']);
    expect(await pgpassd.exited).toEqual({ code: 2, signal: null });
    expect(sentencesOf(pgpassd.errors())[0]).toBe('onec is not a command; did you mean once?');
  });
});
