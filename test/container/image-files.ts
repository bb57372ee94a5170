import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';
import { getContainerRuntimeClient } from 'testcontainers';

export interface ImageFile extends Header {
  readonly content: string;
}

/** All files of an image whose names `wanted` accepts. */
export async function filesOf(
  image: string,
  wanted: (file: Header) => boolean,
): Promise<ImageFile[]> {
  const { dockerode } = (await getContainerRuntimeClient()).container;
  const container = await dockerode.createContainer({ Image: image });
  try {
    const files: ImageFile[] = [];
    const archive = (await container.export()) as Readable;
    for await (const entry of archive.pipe(extract())) {
      if (wanted(entry.header)) files.push({ ...entry.header, content: await text(entry) });
      else entry.resume();
    }
    return files;
  } finally {
    await container.remove();
  }
}
