import { expect } from 'vitest';
import { explainCode } from '../../src/entra/failure.ts';
import { defaultIdentity, defaultResource } from '../support/fake-entra/directory.ts';
import { aadsts } from '../support/fake-entra/faults.ts';
import { entraDoes, type Outage } from './outage.ts';

interface Answered {
  readonly status: number;
  readonly error: string;
  readonly codes: readonly number[];
}

/** Whatever is listed nowhere below. */
const usual = { status: 400, error: 'invalid_request' } as const;

/** Those of Conditional Access. */
const policies = [
  53000, 53001, 53002, 53003, 53004, 53005, 53006, 53007, 53008, 53009, 53010, 53011, 530032,
  530034, 530035,
];

/** Comes along with a refusal by policy. */
const challenge = {
  suberror: 'message_only',
  claims: '{"access_token":{"capolids":{"essential":true,"values":["c1d4"]}}}',
};

/** How Entra answers with a code, as far as it was seen or is documented. */
const answers: readonly Answered[] = [
  { status: 400, error: 'unauthorized_client', codes: [70001, 700011, 700016, 7000112] },
  {
    status: 400,
    error: 'invalid_grant',
    codes: [50013, 50034, 50053, 50076, 50079, 50126, 50196, 65001, 90094, 500133, ...policies],
  },
  { status: 400, error: 'invalid_scope', codes: [28002, 70011, 700022, 700023, 1002012] },
  { status: 400, error: 'invalid_resource', codes: [50001, 500011, 650052, 650057] },
  { status: 400, error: 'invalid_tenant', codes: [90002] },
  { status: 400, error: 'unsupported_grant_type', codes: [70003] },
  {
    status: 401,
    error: 'invalid_client',
    codes: [
      50012, 70021, 70025, 700024, 700025, 700027, 700030, 700211, 700212, 700213, 700222, 700223,
      700229, 700238, 7000215, 7000218, 7000222, 7000229, 7000272, 7002131, 7002138, 7002381,
    ],
  },
  { status: 429, error: 'temporarily_unavailable', codes: [90055] },
  {
    status: 503,
    error: 'temporarily_unavailable',
    codes: [50000, 50033, 90006, 90012, 90024, 90033, 90090, 90091],
  },
  { status: 500, error: 'server_error', codes: [90036, 90092] },
];

export const answeredWith = (code: number) =>
  answers.find(({ codes }) => codes.includes(code)) ?? usual;

/** What a remedy can name. */
const identity = {
  ...defaultIdentity,
  audience: [defaultIdentity.audience],
  scope: `${defaultResource}/.default`,
};

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Entra answers every exchange with this code. */
function refusalWith(code: number): Outage {
  const { status, error } = answeredWith(code);
  const extra = policies.includes(code) ? challenge : {};
  return {
    name: `AADSTS${code}`,
    told: {
      reason: reasonFor(status),
      status,
      aadsts: `AADSTS${code}`,
      traceId: expect.stringMatching(GUID),
      msg: expect.stringContaining(`AADSTS${code}: In Entra's words.`),
    },
    remedy: explainCode(code, identity)?.remedy ?? 'a row of its own',
    hurry: true,
    ...entraDoes(aadsts(code, status, error, "In Entra's words.", extra)),
  };
}

function reasonFor(status: number): string {
  if (status === 429) return 'entra.throttled';
  return status >= 500 ? 'entra.unavailable' : 'entra.refused';
}

function kindOf(code: number): string {
  const { status, error } = answeredWith(code);
  return `${status} ${error}`;
}

/** One pgpassd goes through so many refusals at most, one after the other. */
const GROUP = 16;

/** Codes that come with the same status, many at a time, and what to call them. */
export function groupsOf(codes: readonly number[]): [name: string, group: readonly number[]][] {
  const alike = Map.groupBy(codes, (code) => {
    const { status } = answeredWith(code);
    return status < 429 ? `${status}` : 'another status';
  });
  return [...alike].flatMap(([status, unsorted]) => {
    const members = unsorted.toSorted((one, other) => kindOf(one).localeCompare(kindOf(other)));
    const size = Math.ceil(members.length / Math.ceil(members.length / GROUP));
    return members.flatMap((_, index): [string, readonly number[]][] => {
      if (index % size > 0) return [];
      const group = members.slice(index, index + size);
      return [[`${status}: ${group.map((code) => `AADSTS${code}`).join(', ')}`, group]];
    });
  });
}

/** All of a kind are alike to the application, so only before and after the others of its kind does it work again. */
export function outagesOf(codes: readonly number[]): readonly Outage[] {
  const kinds = new Set<string>();
  return codes.map((code, index) => {
    const kind = kindOf(code);
    const inPassing = kinds.has(kind) && index < codes.length - 1;
    kinds.add(kind);
    return { ...refusalWith(code), ...(inPassing && { inPassing }) };
  });
}
