import { getContainerRuntimeClient } from 'testcontainers';
import { describe, test } from 'vitest';
import { truncatedJson } from '../support/fake-entra/faults.ts';
import { findLeaks } from '../support/leak-check.ts';
import { noEngine } from './engine.ts';
import { filesOf } from './image-files.ts';
import { pgpassdImage } from './images.ts';
import { pods } from './pods.ts';

/** What a JWT looks like, whoever issued it. */
const jwt = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}/;

describe.skipIf(noEngine)('no token (needs a container engine)', () => {
  const openPod = pods();

  test('shows in the log, the process list, or what the engine tells', async (context) => {
    const { expect } = context;
    const pod = await openPod(context);
    const pgpassd = await pod.startSidecar({ memoryMiB: 128 });
    await pgpassd.waitFor('token.refreshed');
    const check = await pgpassd.exec('check');
    pod.entra.faults.next(truncatedJson());
    await pgpassd.raw.kill({ signal: 'SIGHUP' });
    await pgpassd.waitFor('refresh.failed');
    await pgpassd.waitFor('refresh.recovered');

    const seen = {
      log: pgpassd.log.lines.join('\n'),
      check: check.output,
      // With arguments and environment, as far as ps has room.
      processes: JSON.stringify(await pgpassd.raw.top({ ps_args: 'auxwwe' })),
      inspection: JSON.stringify(await pgpassd.raw.inspect()),
    };
    expect(seen.processes).toContain('pgpassd');
    expect(pod.entra.issued.length).toBeGreaterThan(1);
    for (const [where, text] of Object.entries(seen)) {
      expect(findLeaks(text, pod.entra.secrets()), where).toEqual([]);
    }
  });

  test('is in a layer of ours, or in what the image tells of its making', async ({ expect }) => {
    const image = await pgpassdImage();
    const files = await filesOf(image, ({ name }) =>
      /^usr\/local\/(bin|lib\/pgpassd)\//.test(name),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter(({ content }) => jwt.test(content)).map(({ name }) => name)).toEqual([]);

    const { dockerode } = (await getContainerRuntimeClient()).container;
    const told = [dockerode.getImage(image).history(), dockerode.getImage(image).inspect()];
    expect(JSON.stringify(await Promise.all(told))).not.toMatch(jwt);
  });
});
