import { describe, test } from 'vitest';
import { canMountDeadVolume } from '../support/dead-volume.ts';
import { openWorkloadOnDeadVolume, untilItHangs } from './on-dead-volume.ts';
import { sentencesOf } from './workload.ts';

describe
  .skipIf(!canMountDeadVolume())
  .concurrent('on a volume that does not answer (needs to mount with FUSE)', () => {
    test('once ends with 6 after --timeout, and names the volume', async ({
      expect,
      onTestFinished,
    }) => {
      const { passfile, start } = await openWorkloadOnDeadVolume(onTestFinished);
      const pgpassd = start(['once', '--timeout', '5s']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 6, signal: null });
      expect(sentencesOf(pgpassd.errors())[0]).toBe(
        `the passfile ${passfile} cannot be written: its volume does not answer`,
      );
    });

    test('wait ends with 7 after --timeout, and names the volume', async ({
      expect,
      onTestFinished,
    }) => {
      const { passfile, start } = await openWorkloadOnDeadVolume(onTestFinished);
      const pgpassd = start(['wait', '--timeout', '5s', '--', 'echo', 'followed']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 7, signal: null });
      expect(sentencesOf(pgpassd.errors())[0]).toBe(
        `the passfile ${passfile} cannot be checked: its volume does not answer`,
      );
      expect(pgpassd.output()).not.toContain('followed');
    });

    test('SIGTERM ends once, wait and check with 143', async ({ expect, onTestFinished }) => {
      const { start } = await openWorkloadOnDeadVolume(onTestFinished);
      for (const command of ['once', 'wait', 'check']) {
        const pgpassd = start([command]);
        await untilItHangs(pgpassd);
        pgpassd.signal('SIGTERM');
        expect(await pgpassd.exited).toEqual({ code: 143, signal: null });
        expect(pgpassd.errors()).toBe('');
      }
    });

    test('check names it, and nothing else', async ({ expect, onTestFinished }) => {
      const { start } = await openWorkloadOnDeadVolume(onTestFinished);
      const pgpassd = start(['check', '--request-timeout', '5s']);
      expect(await pgpassd.exited, pgpassd.output()).toEqual({ code: 7, signal: null });
      expect(pgpassd.output()).toMatch(/its\s+volume\s+does\s+not\s+answer/);
      expect(pgpassd.output().match(/[✓✗]/g)).toEqual(['✗']);
    });
  });
