import type { Finding } from '../../src/check/finding.ts';

/** What is different on every run, and what stands for it in a picture. */
export type Replacement = readonly [changing: string | RegExp, steady: string];

export function steady(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((before, [changing, put]) => before.replaceAll(changing, put), text);
}

/** Findings that say the same on every run. */
export function steadyFindings(
  findings: readonly Finding[],
  replacements: readonly Replacement[],
): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    found: steady(finding.found, replacements),
    ...(finding.mark === 'wrong' && { remedy: steady(finding.remedy, replacements) }),
  }));
}
