import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli.ts';
import { expressions, filledIn } from './expressions.ts';
import { dashboard, rules } from './manifests.ts';
import { labelsOf, objections } from './vocabulary.ts';

describe('what pgpassd does not have is noticed', () => {
  test.each([
    ['a metric', 'rate(pgpassd_refresh_total[5m])', ['no metric pgpassd_refresh_total']],
    [
      'a label',
      'pgpassd_refreshes_total{outcome="error"}',
      ['no label outcome of pgpassd_refreshes_total'],
    ],
    [
      "a label's value",
      'pgpassd_refreshes_total{result="failure"}',
      ['no value failure of result of pgpassd_refreshes_total'],
    ],
    [
      'a value of a pattern',
      'pgpassd_refresh_errors_total{reason=~"disk.*"}',
      ['no value disk.* of reason of pgpassd_refresh_errors_total'],
    ],
    ['a port', 'up{endpoint="metrics"}', ['no value metrics of endpoint of up']],
    ['a grouping', 'sum by (cause) (pgpassd_refresh_errors_total)', ['no label cause']],
    [
      'a counter',
      'increase(pgpassd_token_expiry_timestamp_seconds[5m])',
      ['increase() of pgpassd_token_expiry_timestamp_seconds, a gauge'],
    ],
    ['nothing', 'sum by (le) (rate(pgpassd_exchange_duration_seconds_bucket{le="0.5"}[5m]))', []],
  ])('%s', (_, expression, found) => {
    expect(objections(expression)).toEqual(found);
  });

  test('an expression that is none', () => {
    expect(() => objections('rat(pgpassd_refreshes_total[5m])')).toThrow('no PromQL');
  });
});

test.each(expressions)('$where asks only for what pgpassd has', ({ expression }) => {
  expect(objections(expression)).toEqual([]);
});

test.each(rules)('$alert tells only labels that it has', ({ expr, annotations }) => {
  const told = Object.values(annotations).join('\n');
  const labels = [...told.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
  expect(labels).not.toEqual([]);
  expect(labels.filter((label) => !labelsOf(expr).has(label ?? ''))).toEqual([]);
});

test.each(
  dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ title, ...target })),
  ),
)('panel $title, query $refId, has the labels of its legend', ({ expr, legendFormat = '' }) => {
  const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
  expect(labels.filter((label) => !labelsOf(filledIn(expr)).has(label ?? ''))).toEqual([]);
});

test.each(rules)('the runbook of $alert runs commands that there are', ({ annotations }) => {
  const { runbook = '' } = annotations;
  expect(runbook).toMatch(/^kubectl (exec|logs|describe pod) -n \{\{ \$labels\.namespace \}\} /);
  const [, ours] = / -c pgpassd -- pgpassd (.+)$/.exec(runbook) ?? [];
  if (ours !== undefined) {
    expect(parseCommandLine(ours.split(' '))).toMatchObject({ kind: 'command', flags: {} });
  } else {
    expect(runbook).not.toContain('kubectl exec');
  }
});
