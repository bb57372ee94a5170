import type { Step } from '../../src/check/finding.ts';
import * as loginFailure from '../../src/check/login/failure.ts';
import * as loginRefusal from '../../src/check/login/refusal.ts';
import * as clocks from '../../src/check/steps/clocks.ts';
import * as daemon from '../../src/check/steps/daemon.ts';
import * as federatedToken from '../../src/check/steps/federated-token.ts';
import * as login from '../../src/check/steps/login.ts';
import * as lookup from '../../src/check/steps/lookup.ts';
import * as network from '../../src/check/steps/network.ts';
import * as overrides from '../../src/check/steps/overrides.ts';
import * as clientsPassfile from '../../src/check/steps/passfile.ts';
import * as settings from '../../src/check/steps/settings.ts';
import * as exec from '../../src/commands/exec.ts';
import * as once from '../../src/commands/once.ts';
import { documentedCodes, meaningOf } from '../../src/entra/aadsts.ts';
import { badAnswer, explainFailure } from '../../src/entra/failure.ts';
import * as accessToken from '../../src/entra/issued-for-causes.ts';
import { explainTransportError } from '../../src/entra/transport-errors.ts';
import { readFederatedToken } from '../../src/federated-token/read.ts';
import { assertUnexpired, parseFederatedToken } from '../../src/federated-token/token.ts';
import * as httpServer from '../../src/observe/http-server.ts';
import {
  passfileWouldBeTooLarge,
  passfileWouldHaveTooManyLines,
  templateUnreadable,
  templateWithoutToken,
} from '../../src/passfile/layout.ts';
import * as passfile from '../../src/passfile/messages.ts';
import * as createRefresher from '../../src/refresh/create-refresher.ts';
import * as heldToken from '../../src/refresh/held-token.ts';
import * as tokenSource from '../../src/refresh/token-source.ts';
import { PgpassdError } from '../../src/support/errors.ts';
import type { Failure } from '../../src/support/failure.ts';
import { Secret } from '../../src/support/secret.ts';
import { explainFailure as explainCommandFailure } from '../../src/token-command/failure.ts';
import { interpretOutput } from '../../src/token-command/interpret.ts';

/** A kind of failure, whatever its values are. */
type Kind = { readonly pattern: Failure };

interface Row {
  readonly ids: readonly string[];
  readonly found: string;
  readonly remedy: string;
}

const placeholders = {
  tenantId: '{tenant}',
  clientId: '{client}',
  scope: '{scope}',
  issuer: '{issuer}',
  subject: '{subject}',
  audience: ['{audience}'],
};

const answer = (status: number) => ({ status, headers: {}, body: '' });
const context = { identity: placeholders, correlationId: '{id}', nowMs: 0 };

/** Errors of the stages have no texts apart from the case: these are cases with placeholders. */
const failures: Readonly<Partial<Record<Step, readonly (() => unknown)[]>>> = {
  'federated token': [
    () => readFederatedToken('/nowhere'),
    () => readFederatedToken('/'),
    () => parseFederatedToken('', '{path}'),
    () => parseFederatedToken('x', '{path}'),
    () => assertUnexpired(expired, 1),
  ],
  network: [
    () => explainTransportError(systemError('ENOTFOUND'), url, 'direct'),
    () => explainTransportError(systemError('ECONNREFUSED'), url, 'direct'),
    () => explainTransportError(systemError('SELF_SIGNED_CERT_IN_CHAIN'), url, 'direct'),
  ],
  exchange: [
    () => explainFailure(answer(429), undefined, context),
    () => explainFailure(answer(503), undefined, context),
    () => badAnswer(answer(200), context, '{why}'),
    () =>
      explainCommandFailure({
        program: '{program}',
        ending: { kind: 'not-started', systemCode: 'ENOENT' },
        deadlineMs: 0,
        stderrLines: [],
      }),
    () => interpretOutput('two words', { nowMs: 0, fallbackLifetimeSeconds: undefined }),
  ],
};

const url = 'https://login.microsoftonline.com/';
const expired = {
  assertion: new Secret('x'),
  identity: { issuer: undefined, subject: undefined, audience: [] },
  expiresAtMs: 0,
};

function systemError(code: string): Error {
  return Object.assign(new Error('system'), { code });
}

/** What the stages throw: `check` names it by its code, or by the AADSTS code. */
const thrown: Readonly<Partial<Record<Step, readonly unknown[]>>> = {
  settings: [templateUnreadable, templateWithoutToken],
};

/** The modules whose exports include the kinds of failures that a step finds. */
const causes: Readonly<Partial<Record<Step, readonly object[]>>> = {
  settings: [settings],
  'federated token': [federatedToken],
  clocks: [clocks],
  network: [network],
  'access token': [accessToken],
  passfile: [passfile, { passfileWouldBeTooLarge, passfileWouldHaveTooManyLines }, clientsPassfile],
  lookup: [lookup],
  overrides: [overrides],
  daemon: [daemon],
  login: [login, loginFailure, loginRefusal],
};

/** Modules whose kinds of failure `check` never finds, by what raises them. */
const failuresBeyondCheck: Readonly<Record<string, readonly object[]>> = {
  'run (the HTTP server)': [httpServer],
  'run and once': [heldToken],
  once: [once],
  'wait -- PROGRAM': [exec],
  createRefresher: [createRefresher, tokenSource],
};

/** All that `check` can find, and what only the other commands report, as docs/findings.md lists it: Markdown. */
export async function causesTable(steps: readonly Step[]): Promise<string> {
  const lines: string[] = [];
  for (const step of steps) {
    const rows = [
      ...(await Promise.all((failures[step] ?? []).map(rowOfFailure))),
      ...(thrown[step] ?? []).filter(isKind).map(rowOfThrown),
      ...(step === 'exchange' ? rowsOfCodes() : []),
      ...(causes[step] ?? []).flatMap((each) => kindsIn(each).map(rowOfKind)),
    ];
    lines.push(`| **${step}** | |`, ...rows.map(lineOf));
  }
  for (const [reporter, modules] of Object.entries(failuresBeyondCheck)) {
    const rows = modules.flatMap(kindsIn).map(rowOfKind);
    lines.push(`| **only ${reporter}** | |`, ...rows.map(lineOf));
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
  const found = error.message
    .replace(/\/nowhere|(?<=file )\/(?= )/, '{path}')
    .replace(/\d{4}-\d\d-\d\dT\S+/, '{time}');
  return { ids: [error.code], found, remedy: error.remedy };
}

function kindsIn(module: object): readonly Kind[] {
  return Object.values(module).filter(
    (exported) => typeof exported === 'function' && 'pattern' in exported,
  );
}

function rowOfKind({ pattern: { id, found, remedy } }: Kind): Row {
  return { ids: [id], found, remedy };
}

/** Codes with the same remedy in one row. */
function rowsOfCodes(): Row[] {
  const byRemedy = Map.groupBy(documentedCodes, (code) => meaningOf(code, placeholders)?.remedy);
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
