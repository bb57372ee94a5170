import { expect, test } from 'vitest';
import { unreachable } from '../simulation/world.ts';
import { annotationExpressions, panelExpressions } from './expressions.ts';
import { dashboard, type Panel } from './manifests.ts';
import { readQuery } from './promql.ts';
import { expectResults, withoutPromtool } from './promtool.ts';
import { Recording } from './recording.ts';

const COLUMNS = 24;

const { panels } = dashboard;
const graphs = panels.filter(({ type }) => type !== 'row');
// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own syntax
const source = { type: 'prometheus', uid: '${datasource}' };

test('can be linked to, and needs no migration in the Grafana of its time', () => {
  expect(dashboard.uid).toBe('pgpassd');
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(41);
});

test('lets one choose the data source, namespaces and pods', () => {
  expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['namespace', 'query'],
    ['pod', 'query'],
  ]);
});

test('every panel has an id of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test('every panel has a place of its own on the grid', () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    expect([title, gridPos.x + gridPos.w]).toEqual([
      title,
      expect.toSatisfy((to) => to <= COLUMNS),
    ]);
    for (const cell of cellsOf(gridPos)) {
      expect([title, cell, taken.get(cell)]).toEqual([title, cell, undefined]);
      taken.set(cell, title);
    }
  }
});

function cellsOf({ x, y, w, h }: Panel['gridPos']): string[] {
  return Array.from({ length: w * h }, (_, at) => `${x + (at % w)}/${y + Math.floor(at / w)}`);
}

test.each(graphs)('panel $title has a data source, a unit and a description', (panel) => {
  expect(panel.datasource).toEqual(source);
  expect(panel.fieldConfig?.defaults.unit).toEqual(expect.any(String));
  expect(panel.description).toMatch(/\.$/);
  expect(panel.targets).not.toEqual([]);
  for (const target of panel.targets ?? []) expect(target.datasource).toEqual(source);
});

const chosen = ['namespace', 'pod'].map((label) => ({
  label,
  operator: '=~',
  value: `$${label}`,
}));

test.each([...panelExpressions, ...annotationExpressions])(
  '$where shows the chosen namespaces and pods',
  ({ expression }) => {
    const { selectors } = readQuery(expression);
    expect(selectors).not.toEqual([]);
    for (const { matchers } of selectors) {
      expect(matchers).toEqual(expect.arrayContaining(chosen));
    }
  },
);

test.skipIf(withoutPromtool)(
  'every panel has something to show of a pgpassd whose refreshes failed and came back (with promtool)',
  async () => {
    const recording = new Recording({ lifetimeSeconds: () => 600 });
    await recording.runUntil(60);
    recording.world.outage = unreachable();
    await recording.runUntil(600);
    recording.world.outage = undefined;
    const now = recording.atSeconds;
    // A panel of failures shows them, one of exchanges needs one in its window.
    await recording.runUntil(now + 120);
    await recording.world.stop();
    const queries = panelExpressions.map(({ expression }) =>
      expression.replaceAll('$namespace', '.+').replaceAll('$pod', '.+'),
    );
    expectResults(recording.seriesOf(), now + 90, queries);
  },
);
