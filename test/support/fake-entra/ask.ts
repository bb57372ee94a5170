import { onTestFinished } from 'vitest';
import { type FakeEntra, type FakeEntraOptions, startFakeEntra } from './server.ts';

export const nowMs = Date.parse('2026-11-24T12:00:00.250Z');
export const nowSeconds = Math.floor(nowMs / 1000);
export const ossrdbms = 'https://ossrdbms-aad.database.windows.net';

/** A fake whose clock stands still and that closes with the test. */
export async function start(options: FakeEntraOptions = {}): Promise<FakeEntra> {
  const entra = await startFakeEntra({ now: () => nowMs, ...options });
  onTestFinished(() => entra.close());
  return entra;
}

interface Asking {
  readonly assertion?: string;
  readonly resource?: string;
  readonly headers?: Record<string, string>;
  readonly path?: string;
}

export async function ask(entra: FakeEntra, asking: Asking = {}): Promise<Response> {
  const { path = `${entra.tenantId}/oauth2/v2.0/token`, resource = ossrdbms } = asking;
  return fetch(new URL(path, entra.authorityHost), {
    method: 'POST',
    redirect: 'manual',
    headers: asking.headers ?? {},
    body: new URLSearchParams({
      client_id: entra.clientId,
      scope: `${resource}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: asking.assertion ?? (await entra.cluster.issueServiceAccountToken()),
      grant_type: 'client_credentials',
    }),
  });
}

interface Body {
  readonly access_token: string;
  readonly expires_in: number;
  readonly error_codes: number[];
  readonly error_description: string;
  readonly trace_id: string;
  readonly correlation_id: string;
}

export const bodyOf = async (response: Response): Promise<Body> => (await response.json()) as Body;
export const grant = async (entra: FakeEntra, asking?: Asking) => bodyOf(await ask(entra, asking));

export async function refusal(
  entra: FakeEntra,
  asking?: Asking,
): Promise<[number, number | undefined]> {
  const response = await ask(entra, asking);
  return [response.status, (await bodyOf(response)).error_codes[0]];
}
