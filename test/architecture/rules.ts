import { posix } from 'node:path';

/** Units of `src/`, the highest first; imports point downwards only. */
export const ORDER = [
  'cli',
  'config',
  'proxy',
  'proxy/registry',
  'proxy/web',
  'proxy/token',
  'proxy/policy',
  'proxy/identity',
  'proxy/cache',
  'proxy/upstream',
  'kubelet',
  'kubelet/image-service',
  'kubelet/credential-provider',
  'kubelet/setup',
  'credentials',
  'machine-identity',
  'plugins',
  'state',
  'network',
  'telemetry',
  'oci',
  'core',
] as const;

const WINGS = ['proxy', 'kubelet'];
const DOOR = 'index.ts';
const MOST_LINES = 400;
const IMPORT =
  /\b(?:import|export)\s(?:[^'";]*?\sfrom\s+)?\s*['"](?<from>[^'"]+)['"]|\bimport\(\s*['"](?<dynamic>[^'"]+)['"]/g;
const COMMENT_LINE = /^\s*(?:\/\/|\/\*|\*)/;
// Only one machine has these; a checkout elsewhere does not.
const LOCAL_PATH = /(?<![\w.])\/work\/|\.\.\/shared\b/;

/** Source texts by path, such as `proxy/policy/index.ts`; relative to `src/`. */
export type Sources = ReadonlyMap<string, string>;

/** @returns one line for each import that points upwards, sideways between the wings, or past a door */
export function checkImports(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    for (const specifier of importsOf(text)) {
      const problem = specifier.startsWith('.') && checkImport(file, specifier, sources);
      if (problem) problems.push(`${file} imports ${specifier}: ${problem}`);
    }
  }
  return problems;
}

/** @returns one line for each file that is too long; generated code may be as long as it likes */
export function checkLength(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    if (text.startsWith('// @generated')) return [];
    const lines = text.split('\n').length - 1;
    return lines > MOST_LINES ? [`${file} has ${lines} lines, more than ${MOST_LINES}`] : [];
  });
}

/** @returns one line for each file that names a path of a single machine */
export function checkPaths(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const found = LOCAL_PATH.exec(text)?.[0];
    return found === undefined ? [] : [`${file} names ${found}`];
  });
}

/** What a module imports or re-exports. */
export function importsOf(text: string): string[] {
  const code = text
    .split('\n')
    .filter((line) => !COMMENT_LINE.test(line))
    .join('\n');
  return [...code.matchAll(IMPORT)].map(({ groups }) => groups?.from ?? groups?.dynamic ?? '');
}

function checkImport(file: string, specifier: string, sources: Sources): string | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  if (target.startsWith('..')) return undefined;
  if (!sources.has(target)) return 'there is no such file';
  const from = unitOf(file);
  const to = unitOf(target);
  if (!from || !to) return `no unit of the order holds ${from ? target : file}`;
  if (from !== to) {
    const [fromWing, toWing] = [wingOf(from), wingOf(to)];
    if (fromWing && toWing && fromWing !== toWing) return 'the wings do not know each other';
    if (ORDER.indexOf(from) > ORDER.indexOf(to)) return `${from} stands below ${to}`;
    return target === `${to}/${DOOR}` ? undefined : `only ${to}/${DOOR} is open to others`;
  }
  return checkDoorsWithin(file, target, sources);
}

/** Inside a unit a sub-folder has a door when it has an index. */
function checkDoorsWithin(file: string, target: string, sources: Sources): string | undefined {
  const folder = posix.dirname(target);
  const inside = posix.dirname(file) === folder || file.startsWith(`${folder}/`);
  const door = `${folder}/${DOOR}`;
  if (inside || !sources.has(door) || target === door) return undefined;
  return `only ${door} is open to others`;
}

function unitOf(file: string): (typeof ORDER)[number] | undefined {
  // The longest comes first, so that proxy/policy is not taken for proxy.
  return ORDER.filter((unit) => file.startsWith(`${unit}/`)).sort((a, b) => b.length - a.length)[0];
}

function wingOf(unit: string): string | undefined {
  return WINGS.find((wing) => unit === wing || unit.startsWith(`${wing}/`));
}
