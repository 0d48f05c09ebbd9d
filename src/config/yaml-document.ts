import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Finding, KeyPath, Position } from './problem.ts';
import { yamlMessage } from './yaml-messages.ts';

/** A YAML text as a plain value of which every part remembers where it stands. */
export interface YamlDocument {
  /** Made of texts, numbers, booleans, null, arrays and objects. */
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Position of a value or of its key; for what is not in the file, that of what should hold it. */
  locate(finding: Finding): Position;
}

interface Place {
  readonly offset: number;
  readonly keyOffset: number | undefined;
  readonly simple: boolean;
  readonly children: Map<string, Place>;
}

const DEEPEST_NESTING = 64;
/** Aliases count each time they are used, so that a few lines can't unfold into millions of values. */
const MOST_VALUES = 100_000;
/** After a few, the rest mostly follows from the first. */
const MOST_SYNTAX_FAULTS = 8;

/** Never throws: what is wrong with the text is in `findings`. */
export function parseYaml(text: string): YamlDocument {
  const lineCounter = new LineCounter();
  const position = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parseOrUndefined(text, lineCounter);
  if (!document) return unreadable([{ path: [], message: 'nested too deep' }]);
  const faults = [...document.errors, ...document.warnings].slice(0, MOST_SYNTAX_FAULTS);
  if (faults.length > 0) {
    const lines = text.split('\n');
    return unreadable(
      faults.map(({ code, pos }) => {
        const at = position(pos[0]);
        return { path: [], message: yamlMessage(code, lines[at.line - 1] ?? ''), position: at };
      }),
    );
  }
  const findings: Finding[] = [];
  const { value, root } = plain(document, (path, message, offset) => {
    findings.push({ path, message, position: position(offset) });
  });
  return {
    value: value ?? {},
    findings,
    locate: (finding) => finding.position ?? position(offsetOf(root, finding.path, finding.atKey ?? false)),
  };
}

function unreadable(findings: readonly Finding[]): YamlDocument {
  return { value: {}, findings, locate: (finding) => finding.position ?? { line: 1, column: 1 } };
}

function parseOrUndefined(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      lineCounter,
      uniqueKeys: true,
      stringKeys: true,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch (error) {
    // The parser is recursive: brackets without end exhaust the stack.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function plain(
  document: Document.Parsed,
  report: (path: KeyPath, message: string, offset: number) => void,
): { value: unknown; root: Place } {
  const targets = aliasTargets(document);
  const open = new Set<Node>();
  let values = 0;

  function convert(node: Node | null, path: KeyPath, keyOffset: number | undefined): [unknown, Place] {
    const offset = node?.range?.[0] ?? keyOffset ?? 0;
    const place: Place = { offset, keyOffset, simple: true, children: new Map() };
    const refuse = (message: string): [unknown, Place] => {
      report(path, message, offset);
      return [undefined, place];
    };
    values += 1;
    if (values > MOST_VALUES) return refuse('too many values');
    if (path.length > DEEPEST_NESTING) return refuse('nested too deep');
    if (isAlias(node)) {
      const target = targets.get(node);
      if (!target) return refuse('there is no such anchor; put a text that starts with * in quotes');
      if (open.has(target)) return refuse('an alias can not be part of what it stands for');
      const [value, targetPlace] = convert(target, path, keyOffset);
      return [value, { ...targetPlace, offset, keyOffset }];
    }
    if (node === null || isScalar(node)) {
      const value = node?.value ?? null;
      return [value, { ...place, offset: value === null ? (keyOffset ?? offset) : offset }];
    }
    open.add(node);
    const result = isSeq(node) ? list(node.items as Node[], path, place) : mapping(node, path, place);
    open.delete(node);
    return [result, { ...place, simple: false }];
  }

  function list(items: readonly Node[], path: KeyPath, place: Place): unknown[] {
    const result: unknown[] = [];
    for (const [index, item] of items.entries()) {
      if (values > MOST_VALUES) break;
      const [value, child] = convert(item, [...path, index], undefined);
      place.children.set(String(index), child);
      result.push(value);
    }
    return result;
  }

  function mapping(node: Node, path: KeyPath, place: Place): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const pair of isMap(node) ? node.items : []) {
      if (values > MOST_VALUES) break;
      const keyNode = pair.key as Node | null;
      const keyOffset = keyNode?.range?.[0] ?? place.offset;
      if (!isScalar(keyNode) || typeof keyNode.value !== 'string') {
        report(path, 'a key has to be text', keyOffset);
        continue;
      }
      const key = keyNode.value;
      if (key === '__proto__') {
        report([...path, key], 'not possible as a key', keyOffset);
        continue;
      }
      const [value, child] = convert(pair.value as Node | null, [...path, key], keyOffset);
      result[key] = value;
      place.children.set(key, child);
    }
    return result;
  }

  const [value, root] = convert(document.contents, [], undefined);
  return { value, root };
}

/** What each alias stands for. One walk for all: the library's own look-up walks the document for each. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Node, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Node, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target) targets.set(node, target);
      } else if (node.anchor) {
        anchors.set(node.anchor, node);
      }
    },
  });
  return targets;
}

function offsetOf(root: Place, path: KeyPath, atKey: boolean): number {
  let place = root;
  for (const key of path) {
    const child = place.children.get(String(key));
    if (!child) return place.keyOffset ?? place.offset;
    place = child;
  }
  return place.simple && !atKey ? place.offset : (place.keyOffset ?? place.offset);
}
