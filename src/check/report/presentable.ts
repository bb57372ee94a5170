import type { Secret } from '../../support/secret.ts';
import { sanitize } from '../../support/text.ts';
import { type Finding, isWrong } from '../finding.ts';

/** The findings as they may be shown, to people and to programs; only a remedy has several lines. */
export function presentableFindings(
  findings: readonly Finding[],
  secrets: readonly Secret[],
): readonly Finding[] {
  return findings.map((finding) => {
    const found = sanitize(finding.found, secrets);
    if (!isWrong(finding)) return { ...finding, found };
    const remedy = finding.remedy.split('\n').map((line) => sanitize(line, secrets));
    return { ...finding, found, remedy: remedy.join('\n') };
  });
}
