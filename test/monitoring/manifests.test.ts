import { readdirSync } from 'node:fs';
import {
  PodMonitor,
  PrometheusRule,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { describe, expect, test } from 'vitest';
import { folder, kustomization, podMonitor, prometheusRule, rules } from './manifests.ts';
import { unknownFields } from './strict.ts';

const objects = [
  { kind: 'PodMonitor', model: PodMonitor, object: podMonitor },
  { kind: 'PrometheusRule', model: PrometheusRule, object: prometheusRule },
];

describe.each(objects)('the $kind', ({ kind, model, object }) => {
  test('is what the schema of the Prometheus operator wants, field by field', () => {
    expect(object).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', kind });
    expect(unknownFields(model, object)).toEqual([]);
  });

  test('with a field of the wrong type, or one that is no field, would be noticed', () => {
    expect(() => unknownFields(model, { ...object, spec: [] })).toThrow('must be object');
    const mistyped = { ...object, spec: { ...object.spec, groupz: [{ name: 'x' }] } };
    expect(unknownFields(model, mistyped)).toContain('/spec/groupz');
  });
});

test('the PodMonitor scrapes the metrics of every pod that has the port', () => {
  expect(podMonitor.spec).toMatchObject({ selector: {}, namespaceSelector: { any: true } });
  expect(podMonitor.spec.podMetricsEndpoints).toMatchObject([
    { port: 'http-pgpassd', path: '/metrics', interval: '30s' },
  ]);
});

test('every alert is critical or a warning, and says what, what follows, and what to run', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect([alert, labels['severity']]).toEqual([
      alert,
      expect.stringMatching(/^(critical|warning)$/),
    ]);
    expect([alert, Object.keys(annotations)]).toEqual([
      alert,
      ['summary', 'description', 'runbook'],
    ]);
    expect([alert, annotations['summary']]).toEqual([alert, expect.stringMatching(/\.$/)]);
    expect([alert, annotations['description']]).toEqual([alert, expect.stringMatching(/\.$/)]);
  }
});

test('the kustomization holds all that is here, and the dashboard as Grafana looks for it', () => {
  const generated = kustomization.configMapGenerator.flatMap(({ files }) => files);
  expect([...kustomization.resources, ...generated, 'kustomization.yaml'].sort()).toEqual(
    readdirSync(folder).sort(),
  );
  expect(kustomization.configMapGenerator).toEqual([
    {
      name: 'pgpassd-dashboard',
      files: ['dashboard.json'],
      options: { disableNameSuffixHash: true, labels: { grafana_dashboard: '1' } },
    },
  ]);
});
