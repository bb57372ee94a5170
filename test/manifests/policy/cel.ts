import { type CelInput, celEnv, isCelError, isCelList, isCelMap, parse, plan } from '@bufbuild/cel';

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

type Expression = ReturnType<typeof parse>['expr'];
type Variables = Readonly<Record<string, Json>>;

/** Under which a map keeps the name of the type that it was written with. */
const TYPE = '@type';

/**
 * Reads and links an expression as Kubernetes' admission policies have them, for @bufbuild/cel. They
 * make objects of types that exist by their names alone, `Object.spec.containers{…}`: to Kubernetes
 * these are maps whose names must fit the place where they stand, and so they are here.
 *
 * @throws when it is no CEL
 */
export function compile(text: string): (variables: Variables) => Json {
  const { expr } = parse(text);
  typedObjectsToMaps(expr);
  const evaluate = plan(celEnv(), expr);
  return (variables) => {
    const bindings = Object.entries(variables).map(
      ([name, value]) => [name, toCel(value)] as const,
    );
    const result = evaluate(Object.fromEntries(bindings));
    if (isCelError(result)) throw new Error(`${result.message}, in: ${text}`);
    return fromCel(result);
  };
}

/** An expression of its own for each place: the plan goes by their identity. */
function typedObjectsToMaps(expression: Expression): void {
  const { exprKind } = expression;
  if (exprKind.case === 'structExpr' && exprKind.value.messageName !== '') {
    const { messageName, entries } = exprKind.value;
    const fields = entries.map(({ keyKind }) =>
      keyKind.case === 'fieldKey' ? `, '${keyKind.value}': null` : '',
    );
    const map = parse(`{'${TYPE}': '${messageName}'${fields.join('')}}`).expr.exprKind;
    if (map.case !== 'structExpr') throw new Error('a map was expected');
    const [type, ...named] = map.value.entries;
    exprKind.value = { ...map.value, entries: [...(type ? [type] : [])] };
    for (const [index, entry] of named.entries()) {
      const value = entries[index]?.value;
      if (value) exprKind.value.entries.push({ ...entry, value });
    }
  }
  for (const part of partsOf(expression)) typedObjectsToMaps(part);
}

function partsOf({ exprKind }: Expression): readonly Expression[] {
  const parts: readonly (Expression | undefined)[] = (() => {
    switch (exprKind.case) {
      case 'callExpr':
        return [exprKind.value.target, ...exprKind.value.args];
      case 'listExpr':
        return exprKind.value.elements;
      case 'selectExpr':
        return [exprKind.value.operand];
      case 'structExpr':
        return exprKind.value.entries.map(({ value }) => value);
      case 'comprehensionExpr': {
        const { iterRange, accuInit, loopCondition, loopStep, result } = exprKind.value;
        return [iterRange, accuInit, loopCondition, loopStep, result];
      }
      default:
        return [];
    }
  })();
  return parts.filter((part): part is Expression => part !== undefined);
}

/** JSON's whole numbers are CEL's ints. */
function toCel(value: Json): CelInput {
  if (typeof value === 'number') return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== 'object' || value === null) return value as string | boolean | null;
  return new Map(Object.entries(value).map(([key, each]) => [key, toCel(each)]));
}

/** `expected` is the type's name that the place asks for, where it asks for one. */
function fromCel(value: unknown, expected?: string): Json {
  if (typeof value === 'bigint') return Number(value);
  if (isCelList(value)) return [...value].map((each) => fromCel(each, expected));
  if (!isCelMap(value)) return value as string | number | boolean | null;
  const type = value.get(TYPE);
  if (typeof type === 'string' && expected !== undefined && type !== expected) {
    throw new Error(`${type} stands where ${expected} belongs`);
  }
  const fields = [...value].filter(([key]) => key !== TYPE);
  return Object.fromEntries(
    fields.map(([key, each]) => [
      key,
      fromCel(each, typeof type === 'string' && isNested(type) ? `${type}.${key}` : undefined),
    ]),
  );
}

/** A JSONPatch has a value of any type. */
function isNested(type: string): boolean {
  return type !== 'JSONPatch';
}
