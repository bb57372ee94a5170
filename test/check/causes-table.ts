import * as clocks from '../../src/check/causes/clocks.ts';
import * as connection from '../../src/check/causes/connection.ts';
import * as daemon from '../../src/check/causes/daemon.ts';
import * as frozenToken from '../../src/check/causes/federated-token.ts';
import * as login from '../../src/check/causes/login.ts';
import * as lookup from '../../src/check/causes/lookup.ts';
import * as network from '../../src/check/causes/network.ts';
import * as overrides from '../../src/check/causes/overrides.ts';
import * as clientsPassfile from '../../src/check/causes/passfile.ts';
import * as settings from '../../src/check/causes/settings.ts';
import type { Step } from '../../src/check/finding.ts';
import { badAnswer, refusals, staleAnswer } from '../../src/entra/answer.ts';
import { documentedCodes, explainCode } from '../../src/entra/failure.ts';
import { httpProxyUrlUnusable } from '../../src/entra/http-proxy.ts';
import { otherAudience, otherClient, otherTenant } from '../../src/entra/issued-for.ts';
import { timeouts, transportFailures } from '../../src/entra/transport-failure.ts';
import { caFileUnusable, tokenProxyCaUnusable } from '../../src/entra/trust.ts';
import * as federatedFile from '../../src/federated-token/file.ts';
import * as federatedToken from '../../src/federated-token/token.ts';
import * as passfile from '../../src/passfile/causes.ts';
import { layoutOf } from '../../src/passfile/read-template.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import type { Failure } from '../../src/support/failure.ts';
import * as commandFailures from '../../src/token-command/failure.ts';
import * as commandOutput from '../../src/token-command/output.ts';

/** A kind of failure, whatever its values are. */
type Kind = { readonly pattern: Failure };

interface Row {
  readonly ids: readonly string[];
  readonly found: string;
  readonly remedy: string;
}

const placeholders = {
  tenantId: '{tenantId}',
  clientId: '{clientId}',
  scope: '{scope}',
  issuer: '{issuer}',
  subject: '{subject}',
  audience: ['{audience}'],
};

/** Errors of the stages have no texts apart from the case: these are cases with placeholders. */
const failures: Readonly<Partial<Record<Step, readonly (() => unknown)[]>>> = {
  settings: [() => layoutOf(Buffer.from(''), '{path}')],
};

/** What the stages throw: `check` names it by its code, or by the AADSTS code. */
const thrown: Readonly<Partial<Record<Step, readonly unknown[]>>> = {
  settings: [caFileUnusable, tokenProxyCaUnusable, httpProxyUrlUnusable],
  'federated token': [...Object.values(federatedFile), ...Object.values(federatedToken)],
  network: [...new Set(Object.values(transportFailures).flatMap((kinds) => Object.values(kinds)))],
  exchange: [
    ...Object.values(refusals),
    badAnswer,
    staleAnswer,
    ...Object.values(timeouts),
    ...Object.values(commandFailures),
    ...Object.values(commandOutput),
  ],
};

const causes: Readonly<Partial<Record<Step, readonly Readonly<Record<string, Kind>>[]>>> = {
  settings: [settings],
  'federated token': [frozenToken],
  clocks: [clocks],
  network: [network],
  'access token': [{ otherAudience, otherTenant, otherClient }],
  passfile: [passfile, clientsPassfile],
  lookup: [lookup],
  overrides: [overrides],
  daemon: [daemon],
  login: [connection, login],
};

/** All that `check` can find, as the README lists it: Markdown. */
export async function causesTable(steps: readonly Step[]): Promise<string> {
  const lines: string[] = [];
  for (const step of steps) {
    const rows = [
      ...(await Promise.all((failures[step] ?? []).map(rowOfFailure))),
      ...(thrown[step] ?? []).filter(isKind).map(rowOfThrown),
      ...(step === 'exchange' ? rowsOfCodes() : []),
      ...(causes[step] ?? []).flatMap((each) => Object.values(each).map(rowOfKind)),
    ];
    lines.push(`| **${step}** | |`, ...rows.map(lineOf));
  }
  return ['| `check` finds | what to do |', '|---|---|', ...lines].join('\n');
}

function isKind(value: unknown): value is Kind {
  return typeof value === 'function' && 'pattern' in value;
}

function rowOfThrown({ pattern: { code, found, remedy } }: Kind): Row {
  return { ids: [code], found, remedy };
}

async function rowOfFailure(provoke: () => unknown): Promise<Row> {
  const error = await (async () => provoke())().catch((thrown: unknown) => thrown);
  if (!(error instanceof PgpassdError)) throw new Error('no failure', { cause: error });
  return { ids: [error.code], found: error.message, remedy: error.remedy };
}

function rowOfKind({ pattern: { id, found, remedy } }: Kind): Row {
  return { ids: [id], found, remedy };
}

/** Codes with the same remedy in one row. */
function rowsOfCodes(): Row[] {
  const byRemedy = Map.groupBy(documentedCodes, (code) => explainCode(code, placeholders)?.remedy);
  return [...byRemedy].map(([remedy = '', codes]) => ({
    ids: codes.map((code) => `AADSTS${code}`),
    found: '',
    remedy,
  }));
}

function lineOf({ ids, found, remedy }: Row): string {
  const names = ids.map((id) => `\`${id}\``).join(' ');
  const [first = '', ...sql] = remedy.split('\n').map((each) => each.trim());
  const advice = [first, ...sql.map((each) => `\`${each}\``)].join('<br>');
  return `| ${[found === '' ? names : `${names}: ${found}`, advice].map(escapeCell).join(' | ')} |`;
}

/** Angle brackets outside code would be tags. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/<(?!br>)([^>`]*)>/g, '&lt;$1&gt;');
}
