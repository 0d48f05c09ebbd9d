import type { parse } from '@bufbuild/cel';

type Expression = ReturnType<typeof parse>['expr'];

const VARIABLE = 'identity';
const FIELDS: ReadonlySet<string> = new Set(['verifier', 'name', 'groups', 'claims']);

/** Names of types, as in `type(x) == string`. */
const TYPE_NAMES: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
  'uint',
]);

/** What the evaluator knows by itself rather than by a function of the environment. */
const BUILT_IN_OPERATORS: ReadonlySet<string> = new Set([
  '_&&_',
  '_||_',
  '_?_:_',
  '_[_]',
  '@not_strictly_false',
  '__not_strictly_false__',
]);

/**
 * Finds names that an expression uses and that do not exist. An evaluation would find them too, but only when
 * somebody asks, and then as a silent no.
 * @returns what is wrong, in words; undefined when nothing is
 */
export function checkExpression(
  expression: Expression,
  isFunction: (name: string) => boolean,
): string | undefined {
  return check(expression, new Set());

  function check(node: Expression | undefined, bound: ReadonlySet<string>): string | undefined {
    const kind = node?.exprKind;
    switch (kind?.case) {
      case 'identExpr':
        return checkName(kind.value.name, bound);
      case 'selectExpr':
        return checkField(kind.value, bound) ?? check(kind.value.operand, bound);
      case 'callExpr': {
        const { function: name, target, args } = kind.value;
        if (!BUILT_IN_OPERATORS.has(name) && !isFunction(name)) return `there is no function ${name}`;
        return check(target, bound) ?? checkAll(args, bound);
      }
      case 'listExpr':
        return checkAll(kind.value.elements, bound);
      case 'structExpr':
        if (kind.value.messageName !== '') return `there is no type ${kind.value.messageName}`;
        return checkAll(
          kind.value.entries.flatMap(({ keyKind, value }) => [
            keyKind.case === 'mapKey' ? keyKind.value : undefined,
            value,
          ]),
          bound,
        );
      case 'comprehensionExpr': {
        const { iterVar, iterVar2, accuVar, iterRange, accuInit, loopCondition, loopStep, result } =
          kind.value;
        const inside = new Set([...bound, iterVar, iterVar2, accuVar]);
        return (
          checkAll([iterRange, accuInit], bound) ??
          checkAll([loopCondition, loopStep], inside) ??
          check(result, new Set([...bound, accuVar]))
        );
      }
      default:
        return undefined;
    }
  }

  function checkAll(
    nodes: readonly (Expression | undefined)[],
    bound: ReadonlySet<string>,
  ): string | undefined {
    for (const node of nodes) {
      const problem = check(node, bound);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}

function checkName(name: string, bound: ReadonlySet<string>): string | undefined {
  const plain = name.replace(/^\./, '');
  if (bound.has(name) || plain === VARIABLE || TYPE_NAMES.has(plain)) return undefined;
  return `there is no ${plain}; an expression knows only ${VARIABLE}`;
}

function checkField(
  { operand, field }: { readonly operand?: Expression | undefined; readonly field: string },
  bound: ReadonlySet<string>,
): string | undefined {
  if (operand?.exprKind.case !== 'identExpr') return undefined;
  const { name } = operand.exprKind.value;
  const isIdentity = name === `.${VARIABLE}` || (name === VARIABLE && !bound.has(VARIABLE));
  if (!isIdentity || FIELDS.has(field)) return undefined;
  return `${VARIABLE} has no ${field}; it has ${[...FIELDS].join(', ')}`;
}
