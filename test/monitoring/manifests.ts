import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const folder = new URL('../../manifests/monitoring/', import.meta.url);

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface PrometheusRule {
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
}

interface PodMonitor {
  readonly spec: {
    readonly podMetricsEndpoints: readonly { readonly port: string; readonly path: string }[];
  };
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator: readonly {
    readonly files: readonly string[];
    readonly options: { readonly labels: Readonly<Record<string, string>> };
  }[];
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly datasource: { readonly type: string; readonly uid: string };
    readonly legendFormat?: string;
  }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
}

/** Of the same text as what is applied; `manifests.test.ts` holds their structure against the schemas. */
export const prometheusRule: PrometheusRule = parse(read('prometheus-rule.yaml'));
export const podMonitor: PodMonitor = parse(read('pod-monitor.yaml'));
export const kustomization: Kustomization = parse(read('kustomization.yaml'));
export const dashboard: Dashboard = JSON.parse(read('dashboard.json'));

export const rules: readonly Rule[] = prometheusRule.spec.groups.flatMap(({ rules }) => rules);

function read(name: string): string {
  return readFileSync(new URL(name, folder), 'utf8');
}
