import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

/**
 * The part of Helm's template language that the chart is written in: `if`, `else`, `with`, `include`, `toYaml`, `nindent`, `sha256sum`
 * and values by their path. It stands in where there is no helm; anything else in a template is an error here, so that
 * the chart stays as plain as this.
 */
export function renderChart(folder: string, values: object, namespace: string): string {
  const templates = join(folder, 'templates');
  const names = readdirSync(templates).sort();
  const definitions = readDefinitions(readFileSync(join(templates, '_helpers.tpl'), 'utf8'));
  return names
    .filter((name) => name.endsWith('.yaml'))
    .map(
      (name) =>
        `---\n${render(parse(readFileSync(join(templates, name), 'utf8')), { Values: values, Release: { Namespace: namespace } }, definitions)}`,
    )
    .join('\n');
}

type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'value'; readonly pipeline: string }
  | {
      readonly type: 'block';
      readonly keyword: 'if' | 'with';
      readonly subject: string;
      readonly body: Node[];
      readonly otherwise: Node[];
    };

type Definitions = ReadonlyMap<string, readonly Node[]>;

const TAG = /\{\{(-?)\s*(.*?)\s*(-?)\}\}/gs;

function readDefinitions(text: string): Definitions {
  const blocks = text.matchAll(/\{\{-? define "([^"]+)" -?\}\}(.*?)\{\{-? end -?\}\}/gs);
  return new Map([...blocks].map(([, name = '', body = '']) => [name, parse(body.trim())]));
}

function parse(text: string): Node[] {
  const top: Node[] = [];
  const open: Node[][] = [top];
  const alternatives: Node[][] = [];
  let from = 0;
  let trimNext = false;
  const addText = (raw: string, trimEnd: boolean): void => {
    const start = trimNext ? raw.trimStart() : raw;
    const body = trimEnd ? start.trimEnd() : start;
    if (body !== '') open.at(-1)?.push({ type: 'text', text: body });
  };
  for (const tag of text.matchAll(TAG)) {
    const [whole, trimBefore, action = '', trimAfter] = tag;
    addText(text.slice(from, tag.index), trimBefore === '-');
    trimNext = trimAfter === '-';
    from = tag.index + whole.length;
    const block = /^(if|with) (.+)$/.exec(action);
    if (block) {
      const keyword = block[1] as 'if' | 'with';
      const [body, otherwise]: [Node[], Node[]] = [[], []];
      open.at(-1)?.push({ type: 'block', keyword, subject: block[2] ?? '', body, otherwise });
      open.push(body);
      alternatives.push(otherwise);
    } else if (action === 'else') {
      open.pop();
      open.push(alternatives.at(-1) ?? []);
    } else if (action === 'end') {
      open.pop();
      alternatives.pop();
    } else open.at(-1)?.push({ type: 'value', pipeline: action });
  }
  addText(text.slice(from), false);
  if (open.length !== 1) throw new Error('a block of a template has no end');
  return top;
}

function render(nodes: readonly Node[], scope: unknown, definitions: Definitions): string {
  return nodes
    .map((node) => {
      if (node.type === 'text') return node.text;
      if (node.type === 'value') return String(evaluate(node.pipeline, scope, definitions));
      const subject = evaluate(node.subject, scope, definitions);
      if (isEmpty(subject)) return render(node.otherwise, scope, definitions);
      return render(node.body, node.keyword === 'with' ? subject : scope, definitions);
    })
    .join('');
}

function evaluate(pipeline: string, scope: unknown, definitions: Definitions): unknown {
  const [first = '', ...filters] = pipeline.split('|').map((part) => part.trim());
  let value = call(first, scope, definitions);
  for (const filter of filters) {
    if (filter === 'sha256sum') {
      value = createHash('sha256').update(String(value)).digest('hex');
      continue;
    }
    const spaces = /^nindent (\d+)$/.exec(filter)?.[1];
    if (spaces === undefined) throw new Error(`the chart has no plain template: | ${filter}`);
    value = `\n${String(value).replace(/^/gm, ' '.repeat(Number(spaces)))}`;
  }
  return value;
}

function call(expression: string, scope: unknown, definitions: Definitions): unknown {
  const include = /^include "([^"]+)" (.+)$/.exec(expression);
  if (include) {
    const definition = definitions.get(include[1] ?? '');
    if (!definition) throw new Error(`there is no template ${include[1]}`);
    return render(definition, call(include[2] ?? '', scope, definitions), definitions);
  }
  const yaml = /^toYaml (.+)$/.exec(expression)?.[1];
  if (yaml !== undefined) return stringify(call(yaml, scope, definitions)).trimEnd();
  if (/^"[^"]*"$/.test(expression)) return expression.slice(1, -1);
  if (expression === '.') return scope;
  if (!/^(?:\.\w+)+$/.test(expression)) throw new Error(`the chart has no plain template: ${expression}`);
  return expression
    .slice(1)
    .split('.')
    .reduce<unknown>((value, key) => {
      const known = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
      if (!known) throw new Error(`values.yaml has no ${expression}`);
      return (value as Readonly<Record<string, unknown>>)[key];
    }, scope);
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === false || value === 0 || value === undefined || value === null;
}
