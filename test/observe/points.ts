/** Points in the life of a daemon. */
export type Point =
  | 'starting'
  | 'with its first token'
  | 'when a refresh is due'
  | 'failing with 40 minutes left'
  | 'with an expired token'
  | 'recovered'
  | 'without its passfile'
  | 'with a loosened passfile'
  | 'on a full disk'
  | 'stopping';

/** What the four paths say. */
interface View {
  readonly startupz: Said;
  readonly readyz: Said;
  readonly livez: Said;
  readonly metrics: {
    readonly status: number | undefined;
    readonly token: TokenSeen;
    readonly failing: boolean;
  };
}

interface Said {
  readonly status: number | undefined;
  readonly verdict: 'ok' | 'fail';
  readonly reason: string;
  readonly token: TokenSeen;
  /** Its code. */
  readonly lastError: string | undefined;
}

type TokenSeen = 'none' | 'valid' | 'expired';

type Verdict = Pick<Said, 'status' | 'verdict' | 'reason'>;

const ok = (reason: string): Verdict => ({ status: 200, verdict: 'ok', reason });
const fail = (reason: string): Verdict => ({ status: 503, verdict: 'fail', reason });

function view(token: TokenSeen, readyz: Verdict, lastError?: string): View {
  const startupz =
    token === 'none'
      ? fail('the passfile has not held a valid token yet')
      : ok('the passfile has held a valid token');
  return {
    startupz: { ...startupz, token, lastError },
    readyz: { ...readyz, token, lastError },
    livez: { ...ok('the refresh loop is running'), token, lastError },
    metrics: { status: 200, token, failing: lastError !== undefined },
  };
}

const well = view('valid', ok('the passfile holds a valid token'));
const failing = ok('the passfile holds a valid token, but refreshing it fails');

/** The promise of the four paths, point by point. */
export const views: Readonly<Record<Point, View>> = {
  starting: view('none', fail('the passfile has not held a valid token yet')),
  'with its first token': well,
  'when a refresh is due': well,
  'failing with 40 minutes left': view('valid', failing, 'entra.unavailable'),
  'with an expired token': view(
    'expired',
    fail('the token in the passfile has expired'),
    'entra.unavailable',
  ),
  recovered: well,
  'without its passfile': view('valid', fail('the passfile is missing')),
  'with a loosened passfile': view('valid', fail('the passfile has the wrong mode')),
  'on a full disk': view('valid', failing, 'passfile.no-space'),
  stopping: view('valid', fail('stopping')),
};

export type ProbePath = '/startupz' | '/readyz' | '/livez';

type Ask = (
  path: ProbePath | '/metrics',
) => Promise<{ readonly status: number | undefined; readonly body: string }>;

/** What a daemon's four paths say right now. */
export async function lookThrough(ask: Ask, now: () => number): Promise<View> {
  const tokenUntil = (expiresAtMs: number): TokenSeen => {
    if (expiresAtMs === 0) return 'none';
    return expiresAtMs > now() ? 'valid' : 'expired';
  };
  const probe = async (path: ProbePath): Promise<Said> => {
    const { status, body } = await ask(path);
    const { status: verdict, reason, tokenExpiresAt = 0, lastError } = JSON.parse(body);
    const token = tokenUntil(new Date(tokenExpiresAt).getTime());
    return { status, verdict, reason, token, lastError: lastError?.code };
  };
  const scrape = async () => {
    const { status, body } = await ask('/metrics');
    const series = seriesOf(body);
    const expirySeconds = series.get('pgpassd_token_expiry_timestamp_seconds') ?? Number.NaN;
    const failures = series.get('pgpassd_refresh_consecutive_failures') ?? Number.NaN;
    return { status, token: tokenUntil(expirySeconds * 1000), failing: failures > 0 };
  };
  return {
    startupz: await probe('/startupz'),
    readyz: await probe('/readyz'),
    livez: await probe('/livez'),
    metrics: await scrape(),
  };
}

/** The value of each series of a scrape. */
export function seriesOf(text: string): ReadonlyMap<string, number> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
