import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type AccessTokenClaims,
  type IssuedAccessToken,
  verifyAccessToken,
} from './access-token.ts';
import type { Exchange } from './answers.ts';
import { type Delivery, deliver, outcomeOf } from './delivery.ts';
import {
  defaultIdentity,
  defaultResource,
  type FederatedCredential,
  type WorkloadIdentity,
} from './directory.ts';
import { createFaultScript, type FaultScript } from './faults.ts';
import {
  type Cluster,
  clusterKey,
  inspectAssertion,
  issueServiceAccountToken,
} from './federated-token.ts';
import { readForm } from './form.ts';
import { createTokenService } from './token-service.ts';

export interface FakeEntraOptions {
  readonly accessTokenLifetimeSeconds?: number;
  readonly accessTokenBytes?: number;
  readonly refreshInSeconds?: number;
  readonly backdateSeconds?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly port?: number;
  /** Where the endpoint lives below the root, as behind a token proxy: `/proxy`. */
  readonly basePath?: string;
  readonly identity?: Partial<WorkloadIdentity>;
  /** Those of the identity, unless told otherwise; none at all is worth a test. */
  readonly federatedCredentials?: readonly FederatedCredential[];
  readonly resources?: readonly string[];
}

interface RecordedRequest {
  /** When it had been read, by the fake's clock, in milliseconds since the epoch. */
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: Readonly<Record<string, string>>;
  readonly correlationId: string | undefined;
  readonly assertion: string | undefined;
  readonly answered: number | 'hang' | 'reset';
  readonly issued?: IssuedAccessToken;
}

export interface FakeEntra {
  readonly authorityHost: string;
  readonly port: number;
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly cluster: Cluster;
  readonly faults: FaultScript;
  readonly requests: readonly RecordedRequest[];
  /** Every access token issued, oldest first. */
  readonly issued: readonly string[];
  /** The first request from now on, once its answer is decided and before it is sent. */
  nextRequest(): Promise<RecordedRequest>;
  /** Checks the signature only; rejects a token that this authority did not sign. */
  verifyAccessToken(token: string): Promise<AccessTokenClaims>;
  /** Everything that must never show up in an output. */
  secrets(): string[];
  close(): Promise<void>;
}

export async function startFakeEntra(options: FakeEntraOptions = {}): Promise<FakeEntra> {
  const { now = Date.now, basePath = '', tls } = options;
  const identity = { ...defaultIdentity, ...options.identity };
  const directory = {
    ...identity,
    federatedCredentials: options.federatedCredentials ?? [identity],
    resources: options.resources ?? [defaultResource],
  };
  const faults = createFaultScript();
  const tokens = createTokenService(directory, {
    lifetimeSeconds: options.accessTokenLifetimeSeconds ?? 3600,
    backdateSeconds: options.backdateSeconds ?? 0,
    bytes: options.accessTokenBytes,
    refreshInSeconds: options.refreshInSeconds,
  });
  const requests: RecordedRequest[] = [];
  const assertions = new Set<string>();
  let waiting: ((request: RecordedRequest) => void)[] = [];

  function record(request: RecordedRequest): void {
    requests.push(request);
    if (request.assertion) assertions.add(request.assertion);
    const resolvers = waiting;
    waiting = [];
    for (const resolve of resolvers) resolve(request);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { method = '', url = '/', headers } = request;
    const tenant = tenantIn(url, basePath);
    const form = readForm(headers['content-type'], body);
    const { client_assertion: assertion } = form.fields;
    const at = now();
    const { delivery, issued } =
      tenant === undefined
        ? { delivery: notFound }
        : await tokens.respond(
            {
              method,
              tenant,
              form,
              assertion: await inspectAssertion(assertion ?? '', await clusterKey()),
            },
            exchangeOf(headers, at),
            faults.take(),
          );
    record({
      at,
      method,
      url,
      headers,
      form: form.fields,
      correlationId: correlationIdIn(headers),
      assertion,
      answered: outcomeOf(delivery),
      ...(issued !== undefined && { issued }),
    });
    deliver(response, delivery);
  }

  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`fake Entra: ${error}`);
    });
  });
  const port = await listen(server, options.port ?? 0);

  return {
    authorityHost: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}${basePath}/`,
    port,
    tenantId: identity.tenantId,
    clientId: identity.clientId,
    objectId: identity.objectId,
    cluster: {
      issuer: identity.issuer,
      issueServiceAccountToken: async (tokenOptions) => {
        const token = await issueServiceAccountToken(identity, now(), tokenOptions);
        assertions.add(token);
        return token;
      },
    },
    faults,
    requests,
    issued: tokens.issued,
    nextRequest: () => new Promise((resolve) => waiting.push(resolve)),
    verifyAccessToken,
    secrets: () => [...assertions, ...tokens.issued],
    close: () => close(server),
  };
}

const notFound: Delivery = { kind: 'whole', answer: { status: 404, headers: {}, body: '' } };

function tenantIn(url: string, basePath: string): string | undefined {
  const [path = ''] = url.split('?');
  if (!path.startsWith(`${basePath}/`)) return undefined;
  const match = /^\/([^/]+)\/oauth2\/v2\.0\/token$/.exec(path.slice(basePath.length));
  return match?.[1];
}

function exchangeOf(headers: IncomingHttpHeaders, nowMs: number): Exchange {
  const correlationId = correlationIdIn(headers);
  return {
    nowMs,
    traceId: randomUUID(),
    correlationId: correlationId ?? randomUUID(),
    echoCorrelationId:
      correlationId !== undefined && headers['return-client-request-id'] === 'true',
  };
}

function correlationIdIn(headers: IncomingHttpHeaders): string | undefined {
  return headers['client-request-id']?.toString();
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
