import { dashboard, rules } from './manifests.ts';

/** Grafana's variables for durations, as it might fill them in. */
export function filledIn(expression: string): string {
  return expression.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h');
}

/** What a variable reads: `label_values(SELECTOR, LABEL)` is Grafana's, not PromQL's. */
function selectorOf(query: string): string {
  const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
  return `count by (${label}) (${selector})`;
}

/** Every query of a panel. */
export const panelExpressions = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, refId }) => ({
    where: `panel ${title}, query ${refId},`,
    expression: filledIn(expr),
  })),
);

export const annotationExpressions = dashboard.annotations.list.map(({ expr = '' }, index) => ({
  where: `annotation ${index}`,
  expression: expr,
}));

/** Everything in the manifests that asks Prometheus. */
export const expressions: readonly { readonly where: string; readonly expression: string }[] = [
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expression: expr })),
  ...panelExpressions,
  ...dashboard.templating.list.flatMap(({ name, query }) =>
    typeof query === 'string'
      ? []
      : [{ where: `variable ${name}`, expression: selectorOf(query.query) }],
  ),
  ...annotationExpressions,
];
