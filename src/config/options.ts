import { parseConnections, parseEntries } from './entry.ts';
import { parsePath } from './misplaced.ts';
import {
  type CommandName,
  list,
  optional,
  required,
  requiredUnless,
  type ValueOf,
  withDefault,
} from './option.ts';
import {
  parseAuthorityHost,
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

const everywhere: readonly CommandName[] = ['run', 'once', 'wait', 'check'];
const checkOnly: readonly CommandName[] = ['check'];

/** Every setting, in the order of `--help` and of docs/settings.md. */
export const options = {
  passfile: required('name the file to write, on a volume shared with the clients', parsePath, {
    placeholder: 'PATH',
    alsoFrom: ['PGPASSFILE'],
    commands: everywhere,
    help: 'the passfile, which run and once write and clients read',
  }),
  entry: list(parseEntries, {
    placeholder: 'SPEC',
    variable: 'PGPASSD_ENTRIES',
    commands: everywhere,
    defaultNote: 'from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`',
    help: 'who the token is for: host:port:database:user, or a connection string',
  }),
  template: optional(parsePath, {
    placeholder: 'PATH',
    help: 'instead of entries: a passfile whose managed lines have a placeholder for a password',
  }),
  allowWildcardHost: withDefault('false', parseSwitch, {
    help: 'permits * as host: the token then goes to any server a client is pointed at',
  }),
  mode: withDefault('0600', parseMode, {
    placeholder: 'OCTAL',
    help: 'mode of the passfile, 0600 or 0400',
  }),
  owner: optional(parseOwner, {
    placeholder: 'UID[:GID]',
    defaultNote: "the process's own",
    help: 'owner of the passfile, numeric',
  }),
  onExit: withDefault('keep', parseWord('keep', 'remove'), {
    placeholder: 'keep|remove',
    help: 'whether the passfile stays when the daemon stops',
  }),
  tenantId: requiredUnless('tokenCommand', NOT_INJECTED, parseTenantId, {
    placeholder: 'ID',
    alsoFrom: ['AZURE_TENANT_ID'],
    help: 'the Entra tenant of the identity',
  }),
  clientId: requiredUnless(
    'tokenCommand',
    `${NOT_INJECTED} whose service account has the annotation azure.workload.identity/client-id`,
    parseText,
    { placeholder: 'ID', alsoFrom: ['AZURE_CLIENT_ID'], help: 'the client id of the identity' },
  ),
  federatedTokenFile: requiredUnless('tokenCommand', NOT_INJECTED, parsePath, {
    placeholder: 'PATH',
    alsoFrom: ['AZURE_FEDERATED_TOKEN_FILE'],
    help: 'the projected service-account token',
  }),
  authorityHost: withDefault('https://login.microsoftonline.com/', parseAuthorityHost, {
    placeholder: 'URL',
    alsoFrom: ['AZURE_AUTHORITY_HOST'],
    help: "Entra's host for the cloud",
  }),
  scope: optional(parseText, {
    placeholder: 'SCOPE',
    defaultNote: 'by authority host: public, US Government, China',
    help: 'what to ask a token for; required for any other authority host',
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
    help: 'another way to get a token: run CMD, without a shell, and read it from its output',
  }),
  tokenLifetime: optional(parseDurationMs, {
    placeholder: 'DURATION',
    help: 'the life of a token that does not tell its own; only with --token-command',
  }),
  caFile: optional(parsePath, {
    placeholder: 'PATH',
    defaultNote: "Node.js' roots",
    help: 'a CA to trust besides, read anew for each exchange; NODE_EXTRA_CA_CERTS adds too, and NODE_USE_SYSTEM_CA=1 the roots of the system',
  }),
  refreshFraction: withDefault('0.5', parseFraction, {
    placeholder: 'FRACTION',
    help: "refresh when this share of the token's life has passed; the server's refresh_in wins when it is earlier",
  }),
  requestTimeout: withDefault('10s', parseDurationMs, {
    placeholder: 'DURATION',
    help: 'one exchange, from connect to last byte',
  }),
  timeout: withDefault('60s', parseDurationMs, {
    placeholder: 'DURATION',
    commands: everywhere,
    help: 'once, wait: give up after this long',
  }),
  minValidity: withDefault('60s', parseDurationMs, {
    placeholder: 'DURATION',
    commands: everywhere,
    help: 'once, wait: what counts as still valid in a passfile already in place',
  }),
  httpAddress: withDefault('0.0.0.0:8432', parseHttpAddress, {
    placeholder: 'HOST:PORT|off',
    help: 'run: where probes and metrics are; 0.0.0.0 includes IPv6',
  }),
  logLevel: withDefault(
    'info',
    parseWord('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    { placeholder: 'LEVEL', help: 'trace, debug, info, warn, error, fatal or silent' },
  ),
  logFormat: optional(parseWord('json', 'pretty'), {
    placeholder: 'json|pretty',
    defaultNote: '`json`; `pretty` on a terminal',
    help: 'one JSON object a line, or lines for people',
  }),
  for: list(parseConnections, {
    placeholder: 'HOST:PORT:DATABASE:USER',
    commands: checkOnly,
    help: 'check: which line of the passfile a client finds that connects like this, and why',
  }),
  expectUid: optional(parseUid, {
    placeholder: 'UID',
    defaultNote: "the owner's in --owner, else the process's own",
    commands: checkOnly,
    help: 'check: the user the clients run as',
  }),
  connect: withDefault('false', parseSwitch, {
    commands: checkOnly,
    help: "check: log in to each entry's server with the token in the passfile",
  }),
  offline: withDefault('false', parseSwitch, {
    commands: checkOnly,
    help: 'check: leave the network alone',
  }),
  json: withDefault('false', parseSwitch, {
    commands: checkOnly,
    help: 'check: the findings as JSON, for machines',
  }),
} as const;

export type OptionName = keyof typeof options;

export type OptionValues = { readonly [N in OptionName]: ValueOf<(typeof options)[N]> };
