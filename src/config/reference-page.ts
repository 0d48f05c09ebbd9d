import type { JsonSchema } from './json-schema.ts';

type Node = Exclude<JsonSchema, boolean>;

/** One line of a table. */
interface Row {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string;
}

/** One table: what a mapping may hold. A union has one for each of its types. */
interface Table {
  readonly title: string;
  readonly meaning: string;
  readonly rows: Row[];
}

/** The reference page in Markdown: a section for each top-level key, made from the JSON Schema. */
export function referencePage(schema: JsonSchema, introduction: string): string {
  const sections = propertiesOf(schema).map(([key, node]) => section(key, node));
  return [introduction.trim(), ...sections].join('\n\n').concat('\n');
}

function section(key: string, node: Node): string {
  const tables: Table[] = [];
  const top: Table = { title: key, meaning: meaningOf(node), rows: [] };
  tables.push(top);
  describe(key, node, top, tables);
  return tables
    .filter(({ rows, title }) => rows.length > 0 || title === key || title.includes(' '))
    .map(tableText)
    .join('\n\n');
}

/** Puts what `node` may hold into `table`, and each union below it into tables of its own. */
function describe(path: string, node: Node, table: Table, tables: Table[]): void {
  const forms = formsOf(node);
  if (forms.length > 0) {
    for (const form of forms) {
      const type = constOf(form);
      const own: Table = {
        title: `${path} with type ${type}`,
        meaning: form.description ?? '',
        rows: [{ key: 'type', type: `\`${type}\``, fallback: 'required', meaning: '' }],
      };
      tables.push(own);
      describeProperties('', path, form, own, tables);
    }
  } else if (isNode(node.items)) {
    describe(`${path}[]`, node.items, table, tables);
  } else if (isNode(node.additionalProperties)) {
    describe(`${path}.NAME`, node.additionalProperties, table, tables);
  } else {
    describeProperties('', path, node, table, tables);
  }
}

function describeProperties(prefix: string, path: string, node: Node, table: Table, tables: Table[]): void {
  const required = new Set(node.required);
  for (const [name, child] of propertiesOf(node)) {
    if (child.const !== undefined) continue;
    const key = `${prefix}${name}`;
    table.rows.push({
      key,
      type: typeOf(child),
      fallback: fallbackOf(child, required.has(name)),
      meaning: child.description ?? '',
    });
    if (child.properties) describeProperties(`${key}.`, `${path}.${name}`, child, table, tables);
    else if (hasParts(child)) {
      const own: Table = { title: `${path}.${name}`, meaning: shapeOf(child), rows: [] };
      tables.push(own);
      describe(`${path}.${name}`, child, own, tables);
    }
  }
}

function meaningOf(node: Node): string {
  const fallback = fallbackOf(node, false);
  return [node.description, shapeOf(node), fallback && `Default: ${fallback}.`].filter(Boolean).join(' ');
}

function shapeOf(node: Node): string {
  if (isNode(node.items)) return 'A list; an entry holds:';
  return isNode(node.additionalProperties) ? 'A mapping by name; an entry holds:' : '';
}

function hasParts(node: Node): boolean {
  // What has a title of its own is described in another place.
  if (isNode(node.items) && node.items.title !== undefined) return false;
  const inner = isNode(node.items) ? node.items : node.additionalProperties;
  return formsOf(node).length > 0 || (isNode(inner) && (inner.properties !== undefined || hasParts(inner)));
}

function typeOf(node: Node): string {
  const choices = formsOf(node).map(constOf);
  if (choices.length > 0) return `by type: ${choices.map(code).join(', ')}`;
  if (node.enum) return node.enum.map((value) => code(String(value))).join(', ');
  if (isNode(node.items))
    return `list of ${node.items.title?.toLowerCase() ?? (formsOf(node.items).length > 0 ? 'entries' : typeOf(node.items))}`;
  if (node.properties) return 'mapping';
  if (isNode(node.additionalProperties)) return 'mapping by name';
  if (node.title !== undefined) return node.title.toLowerCase();
  const names: Record<string, string> = {
    string: 'text',
    integer: 'whole number',
    boolean: '`true`, `false`',
  };
  return names[String(node.type)] ?? String(node.type);
}

function fallbackOf(node: Node, required: boolean): string {
  if (required) return 'required';
  const fallback = node.default;
  if (fallback === undefined || JSON.stringify(fallback) === '{}') return '';
  return code(typeof fallback === 'string' ? fallback : JSON.stringify(fallback));
}

function tableText({ title, meaning, rows }: Table): string {
  const depth = /[.[ ]/.test(title) ? '###' : '##';
  const lines = rows.map(
    (row) => `| ${[code(row.key), row.type, row.fallback, row.meaning].map(cell).join(' | ')} |`,
  );
  const table =
    lines.length === 0 ? [] : ['| key | type | default | meaning |\n| --- | --- | --- | --- |', ...lines];
  return [`${depth} ${title}`, meaning, table.join('\n')].filter((part) => part !== '').join('\n\n');
}

function formsOf(node: Node): Node[] {
  return (node.oneOf ?? node.anyOf ?? []).filter(isNode).filter((form) => form.properties !== undefined);
}

/** The value that tells this form of a union from the others. */
function constOf(form: Node): string {
  return String(propertiesOf(form).find(([, child]) => child.const !== undefined)?.[1].const ?? '');
}

function propertiesOf(node: JsonSchema): [string, Node][] {
  if (!isNode(node)) return [];
  return Object.entries(node.properties ?? {}).filter((entry): entry is [string, Node] => isNode(entry[1]));
}

function isNode(schema: unknown): schema is Node {
  return typeof schema === 'object' && schema !== null;
}

function code(text: string): string {
  return `\`${text}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
