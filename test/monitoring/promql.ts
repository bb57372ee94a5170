import { parser } from '@prometheus-io/lezer-promql';

export interface Matcher {
  readonly label: string;
  /** `=`, `!=`, `=~` or `!~`. */
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** The function that is given a range of it, such as `increase`. */
  readonly rangeFunction: string | undefined;
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels in `by`, `without`, `on`, `ignoring` and the like. */
  readonly groupingLabels: readonly string[];
}

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/**
 * What a PromQL expression reads, by Prometheus' own grammar.
 *
 * @throws Error where it is no PromQL
 */
export function readQuery(text: string): Query {
  const selectors: Selector[] = [];
  const groupingLabels: string[] = [];
  const textOf = (node: SyntaxNode | null) => (node ? text.slice(node.from, node.to) : '');
  parser.parse(text).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`no PromQL at character ${node.from}: ${text}`);
      if (type.name === 'VectorSelector') {
        selectors.push({
          metric: textOf(node.getChild('Identifier')),
          matchers: matchersOf(node).map((matcher) => ({
            label: textOf(matcher.getChild('LabelName')),
            operator: textOf(matcher.getChild('MatchOp')),
            value: unquoted(textOf(matcher.getChild('StringLiteral'))),
          })),
          rangeFunction: textOf(functionAround(node)) || undefined,
        });
      }
      if (type.name === 'GroupingLabels') {
        groupingLabels.push(...node.getChildren('LabelName').map(textOf));
      }
    },
  });
  return { selectors, groupingLabels };
}

function matchersOf(selector: SyntaxNode): SyntaxNode[] {
  return selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
}

/** A range that is not the direct argument of a function is an error of PromQL. */
function functionAround(selector: SyntaxNode): SyntaxNode | null {
  if (selector.parent?.name !== 'MatrixSelector') return null;
  let around: SyntaxNode | null = selector.parent;
  while (around !== null && around.name !== 'FunctionCall') around = around.parent;
  return around?.getChild('FunctionIdentifier') ?? null;
}

function unquoted(literal: string): string {
  return literal.slice(1, -1);
}
