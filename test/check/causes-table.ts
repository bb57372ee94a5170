import * as loginFailure from '../../src/check/login/failure.ts';
import * as loginRefusal from '../../src/check/login/refusal.ts';
import type { Step } from '../../src/check/step.ts';
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
import { badAnswer, refusalKinds, staleAnswer } from '../../src/entra/answer.ts';
import { documentedCodes, explainCode } from '../../src/entra/failure.ts';
import { otherAudience, otherClient, otherTenant } from '../../src/entra/request.ts';
import {
  caFileUnusable,
  httpProxyUrlUnusable,
  tokenProxyCaUnusable,
} from '../../src/entra/transport.ts';
import { timeouts, transportFailures } from '../../src/entra/transport-failure.ts';
import * as federatedTokenFailures from '../../src/federated-token/federated-token.ts';
import * as httpServer from '../../src/observe/http-server.ts';
import {
  passfileWouldBeTooLarge,
  passfileWouldHaveTooManyLines,
  templateEmptied,
  templateMisspelt,
  templateUnreadable,
  templateWithoutToken,
} from '../../src/passfile/layout.ts';
import * as passfile from '../../src/passfile/messages.ts';
import * as createRefresher from '../../src/refresh/create-refresher.ts';
import * as heldToken from '../../src/refresh/held-token.ts';
import * as tokenSource from '../../src/refresh/token-source.ts';
import type { Failure } from '../../src/support/errors.ts';
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

/** What the stages throw: `check` names it by its code, or by the AADSTS code. */
const thrown: Readonly<Partial<Record<Step, readonly unknown[]>>> = {
  settings: [
    templateUnreadable,
    templateEmptied,
    templateMisspelt,
    templateWithoutToken,
    caFileUnusable,
    tokenProxyCaUnusable,
    httpProxyUrlUnusable,
  ],
  'federated token': Object.values(federatedTokenFailures),
  network: [...new Set(Object.values(transportFailures).flatMap((kinds) => Object.values(kinds)))],
  exchange: [
    ...Object.values(refusalKinds),
    badAnswer,
    staleAnswer,
    ...Object.values(timeouts),
    ...Object.values(commandFailures),
    ...Object.values(commandOutput),
  ],
};

/** The modules whose exports include the kinds of failures that a step finds. */
const causes: Readonly<Partial<Record<Step, readonly object[]>>> = {
  settings: [settings],
  'federated token': [federatedToken],
  clocks: [clocks],
  network: [network],
  'access token': [{ otherAudience, otherTenant, otherClient }],
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
export function causesTable(steps: readonly Step[]): string {
  const lines: string[] = [];
  for (const step of steps) {
    const rows = [
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
  return ['| finding | remedy |', '|---|---|', ...lines].join('\n');
}

function isKind(value: unknown): value is Kind {
  return typeof value === 'function' && 'pattern' in value;
}

function rowOfThrown({ pattern: { code, found, remedy } }: Kind): Row {
  return { ids: [code], found, remedy };
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
