import type { Finding, KeyPath } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  readonly value: unknown;
  readonly findings: readonly Finding[];
  /** Takes what came from the environment out of a message again. */
  hide(message: string): string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const MALFORMED = `expected \${NAME}, or $\${ where \${ itself is meant`;

/** Shorter values can't be told from ordinary words of a message. */
const SHORTEST_HIDDEN_LENGTH = 4;

/**
 * Puts variables of the environment in the place of `${NAME}`, in every text of a value but not in its keys.
 * `$${` stands for `${`. What comes out is text, also when it looks like a number.
 */
export function interpolate(value: unknown, environment: Environment): Interpolated {
  const findings: Finding[] = [];
  const used = new Map<string, string>();

  function replace(text: string, path: KeyPath): string {
    return text.replace(REFERENCE, (whole: string, name: string | undefined) => {
      if (name === undefined) return '${';
      if (!VARIABLE_NAME.test(name) || !whole.endsWith('}')) {
        findings.push({ path, message: MALFORMED });
        return '';
      }
      const found = Object.hasOwn(environment, name) ? environment[name] : undefined;
      if (found === undefined) {
        findings.push({ path, message: `the environment has no variable ${name}; set it` });
        return '';
      }
      used.set(found, name);
      return found;
    });
  }

  function walk(node: unknown, path: KeyPath): unknown {
    if (typeof node === 'string') return replace(node, path);
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (typeof node === 'object' && node !== null) {
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, [...path, key])]));
    }
    return node;
  }

  return {
    value: walk(value, []),
    findings,
    hide: (message) => {
      let hidden = message;
      for (const [text, name] of used) {
        if (text.length >= SHORTEST_HIDDEN_LENGTH) hidden = hidden.replaceAll(text, () => `\${${name}}`);
      }
      return hidden;
    },
  };
}
