import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { issued } from './secrets.ts';

export type Reply = 'granted' | 'quoting' | 'odd';

/** A token endpoint in this process, which says what it is set to say. */
export interface TokenEndpoint {
  readonly url: string;
  reply: Reply;
}

export async function openTokenEndpoint(): Promise<TokenEndpoint> {
  const endpoint = { url: '', reply: 'granted' as Reply };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const form = decodeURIComponent(Buffer.concat(chunks).toString());
      const [status, body] = answerTo(endpoint.reply, form);
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(body);
    });
  });
  server.unref();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return endpoint;
}

function answerTo(reply: Reply, form: string): [status: number, body: string] {
  switch (reply) {
    case 'granted':
      return [
        200,
        JSON.stringify({ token_type: 'Bearer', expires_in: 3600, access_token: issued }),
      ];
    case 'quoting':
      return [
        400,
        JSON.stringify({
          error: 'unauthorized_client',
          error_description: `AADSTS700016: Not found: '${form}'. Trace ID: none`,
        }),
      ];
    case 'odd':
      return [200, `<html>${form}`];
  }
}
