import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import { decodeJwt, type JSONWebKeySet } from 'jose';
import type { Exchange } from '../../support/fake-entra/answers.ts';
import { type Delivery, deliver } from '../../support/fake-entra/delivery.ts';
import type { Directory } from '../../support/fake-entra/directory.ts';
import { readForm } from '../../support/fake-entra/form.ts';
import { createTokenService } from '../../support/fake-entra/token-service.ts';
import type { ServerCertificate } from '../../support/postgres/certificates.ts';
import { inspectAssertion } from './assertion.ts';
import type { Observation } from './observation.ts';

export interface TokenEndpointOptions {
  readonly directory: Directory;
  /** Those with which the cluster signs its service accounts' tokens. */
  readonly clusterKeys: JSONWebKeySet;
  readonly certificate: ServerCertificate;
  readonly lifetimeSeconds: number;
  readonly port: number;
  readonly observe: (observation: Observation) => void;
}

/** The tests' Entra, for tokens that a real cluster signed, and for callers from other pods. */
export async function serveTokenEndpoint(options: TokenEndpointOptions): Promise<Server> {
  const { directory, clusterKeys, certificate, lifetimeSeconds, port, observe } = options;
  const tokens = createTokenService(directory, {
    lifetimeSeconds,
    backdateSeconds: 0,
    refreshInSeconds: undefined,
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/', headers } = request;
    const form = readForm(headers['content-type'], await text(request));
    const assertion = await inspectAssertion(form.fields['client_assertion'] ?? '', clusterKeys);
    const nowMs = Date.now();
    const { delivery, issued } = await tokens.respond(
      { method, tenant: tenantIn(url), form, assertion },
      exchangeAt(nowMs, headers['client-request-id']?.toString()),
      undefined,
    );
    observe({
      event: 'exchange',
      at: new Date(nowMs).toISOString(),
      subject: assertion.readable ? String(assertion.claims.sub) : '',
      ...(issued === undefined
        ? { aadsts: codeIn(delivery) }
        : { token: String(decodeJwt(issued.token)['uti']) }),
    });
    deliver(response, delivery);
  }

  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`Azure's stand-in: ${error}`);
    });
  });
  server.listen(port);
  await once(server, 'listening');
  return server;
}

function tenantIn(url: string): string {
  return /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(url)?.[1] ?? '';
}

function exchangeAt(nowMs: number, correlationId: string | undefined): Exchange {
  return {
    nowMs,
    traceId: randomUUID(),
    correlationId: correlationId ?? randomUUID(),
    echoCorrelationId: false,
  };
}

function codeIn(delivery: Delivery): number {
  if (delivery.kind !== 'whole') throw new Error(`no refusal is delivered as ${delivery.kind}`);
  const body = JSON.parse(delivery.answer.body) as { error_codes: [number] };
  return body.error_codes[0];
}
