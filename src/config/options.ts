import { parseConnections, parseEntries } from './entry.ts';
import {
  type CommandName,
  list,
  type OptionTable,
  optional,
  required,
  requiredUnless,
  type ValuesOf,
  withDefault,
} from './option.ts';
import { parsePath } from './secrets.ts';
import {
  parseAuthorityHost,
  parseClientId,
  parseCommand,
  parseDurationMs,
  parseFormField,
  parseFraction,
  parseHttpAddress,
  parseMode,
  parseOwner,
  parseSecureUrl,
  parseSwitch,
  parseTenantId,
  parseText,
  parseUid,
  parseWord,
} from './values.ts';

/** What to look at when the workload identity webhook did not touch the pod. */
const NOT_INJECTED =
  'the workload identity webhook sets it in pods with the label azure.workload.identity/use: "true" (on the pod template, not on the Job or Deployment)';

const everyCommand: readonly CommandName[] = ['run', 'once', 'wait', 'check'];
const checkOnly: readonly CommandName[] = ['check'];
const untilDone: readonly CommandName[] = ['once', 'wait'];

/**
 * Every setting, by group, in the order of `--help` and of the reference of settings. Names are those of
 * the values in a `Config`; a new setting is one entry here.
 */
export const optionGroups = {
  common: {
    passfile: required('name the passfile, on a volume shared with the clients', parsePath, {
      placeholder: 'PATH',
      alsoFrom: ['PGPASSFILE'],
      acceptedBy: everyCommand,
      help: 'the passfile, which run and once write and clients read',
    }),
    entry: list(parseEntries, {
      placeholder: 'SPEC',
      variable: 'PGPASSD_ENTRIES',
      acceptedBy: everyCommand,
      defaultNote: 'from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`',
      help: 'what the token is for: host:port:database:user, or a connection string',
    }),
  },
  identity: {
    tenantId: requiredUnless('tokenCommand', NOT_INJECTED, parseTenantId, {
      placeholder: 'ID',
      alsoFrom: ['AZURE_TENANT_ID'],
      help: 'the Entra tenant of the identity',
    }),
    clientId: requiredUnless(
      'tokenCommand',
      `${NOT_INJECTED} whose service account has the annotation azure.workload.identity/client-id`,
      parseClientId,
      { placeholder: 'ID', alsoFrom: ['AZURE_CLIENT_ID'], help: 'the client ID of the identity' },
    ),
    federatedTokenFile: requiredUnless('tokenCommand', NOT_INJECTED, parsePath, {
      placeholder: 'PATH',
      alsoFrom: ['AZURE_FEDERATED_TOKEN_FILE'],
      help: 'the file with the projected service-account token',
    }),
    authorityHost: withDefault('https://login.microsoftonline.com/', parseAuthorityHost, {
      placeholder: 'URL',
      alsoFrom: ['AZURE_AUTHORITY_HOST'],
      help: "the cloud's Entra host",
    }),
    scope: optional(parseText, {
      placeholder: 'SCOPE',
      defaultNote: 'by authority host: public, US Government, China',
      help: 'the scope to request; required with any other authority host',
    }),
    tokenEndpoint: optional(parseSecureUrl, {
      placeholder: 'URL',
      defaultNote: 'authority host, tenant, `/oauth2/v2.0/token`',
      help: 'replaces the whole URL of the token endpoint',
    }),
    tokenParam: list((text) => [parseFormField(text)], {
      placeholder: 'K=V',
      mayHoldSecret: true,
      help: 'adds or replaces a field of the token request, such as grant_type',
    }),
    tokenCommand: optional(parseCommand, {
      placeholder: 'CMD',
      verbatim: true,
      mayHoldSecret: true,
      help: 'runs CMD, without a shell, and reads the token from its output, instead of asking Entra',
    }),
    tokenLifetimeMs: optional(parseDurationMs, {
      placeholder: 'DURATION',
      help: 'the lifetime of a token that does not state its own; only with --token-command',
    }),
    caFile: optional(parsePath, {
      placeholder: 'PATH',
      defaultNote: "Node.js' roots",
      help: 'an additional CA to trust, re-read before each exchange; NODE_EXTRA_CA_CERTS adds CAs too, and NODE_USE_SYSTEM_CA=1 those of the system',
    }),
  },
  passfile: {
    template: optional(parsePath, {
      placeholder: 'PATH',
      help: 'instead of entries: a passfile whose managed lines have a placeholder as their password',
    }),
    allowWildcardHost: withDefault('false', parseSwitch, {
      help: 'permits * as the host of an entry: clients then send the token to any server they are pointed at',
    }),
    mode: withDefault('0600', parseMode, {
      placeholder: 'OCTAL',
      help: 'the mode of the passfile, 0600 or 0400',
    }),
    owner: optional(parseOwner, {
      placeholder: 'UID[:GID]',
      defaultNote: "the process's own",
      help: 'the numeric owner of the passfile',
    }),
    onExit: withDefault('keep', parseWord('keep', 'remove'), {
      placeholder: 'keep|remove',
      usedBy: ['run'],
      help: 'whether the passfile is kept or removed when the daemon stops',
    }),
  },
  timing: {
    refreshFraction: withDefault('0.5', parseFraction, {
      placeholder: 'FRACTION',
      help: "refresh after this share of the token's lifetime, or at the server's refresh_in if that is earlier",
    }),
    requestTimeoutMs: withDefault('10s', parseDurationMs, {
      placeholder: 'DURATION',
      help: 'the timeout of one token request, from connecting to the last byte',
    }),
    timeoutMs: withDefault('60s', parseDurationMs, {
      placeholder: 'DURATION',
      acceptedBy: everyCommand,
      usedBy: untilDone,
      help: 'give up after this long',
    }),
    minValidityMs: withDefault('60s', parseDurationMs, {
      placeholder: 'DURATION',
      acceptedBy: everyCommand,
      usedBy: untilDone,
      help: 'a token already in the passfile counts only if it is valid for at least this long',
    }),
  },
  observing: {
    httpAddress: withDefault('0.0.0.0:8432', parseHttpAddress, {
      placeholder: 'HOST:PORT|off',
      usedBy: ['run'],
      help: 'where probes and metrics are served; 0.0.0.0 includes IPv6',
    }),
    logLevel: withDefault(
      'info',
      parseWord('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      { placeholder: 'LEVEL', help: 'trace, debug, info, warn, error, fatal or silent' },
    ),
    logFormat: optional(parseWord('json', 'pretty'), {
      placeholder: 'json|pretty',
      defaultNote: '`json`; `pretty` on a terminal',
      help: 'one JSON object per line, or lines for people',
    }),
  },
  check: {
    for: list(parseConnections, {
      placeholder: 'HOST:PORT:DATABASE:USER',
      acceptedBy: checkOnly,
      help: 'a connection as a client makes it; the report says which line of the passfile it finds, and why',
    }),
    expectUid: optional(parseUid, {
      placeholder: 'UID',
      defaultNote: "the owner's in --owner, else the process's own",
      acceptedBy: checkOnly,
      help: 'the user that the clients run as',
    }),
    connect: withDefault('false', parseSwitch, {
      acceptedBy: checkOnly,
      help: "log in to each entry's server with the token in the passfile",
    }),
    offline: withDefault('false', parseSwitch, {
      acceptedBy: checkOnly,
      help: 'do not use the network',
    }),
    json: withDefault('false', parseSwitch, {
      acceptedBy: checkOnly,
      help: 'print the findings as JSON, for programs',
    }),
  },
} as const satisfies Readonly<Record<string, OptionTable>>;

/** At least every setting there is; the tests add some. */
export type OptionGroups = typeof optionGroups;

type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (
  all: infer I,
) => void
  ? I
  : never;

/** The options of several groups in one table. */
export type OptionsIn<G> = Intersection<G[keyof G]>;

export function optionsIn<G extends OptionGroups>(groups: G): OptionsIn<G> {
  return Object.assign({}, ...Object.values(groups));
}

export const options = optionsIn(optionGroups);

export type OptionName = keyof typeof options;

export type OptionValues = ValuesOf<typeof options>;

/** What the workload identity webhook sets in a pod. */
export const injectedOptions: readonly OptionName[] = [
  'tenantId',
  'clientId',
  'federatedTokenFile',
];
