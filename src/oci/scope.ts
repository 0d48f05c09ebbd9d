/** One resource that a client asks a token for. */
export interface Scope {
  /** `repository` or `registry`; a class such as `repository(plugin)` is dropped. */
  readonly type: string;
  /** May hold colons, as in `host:5000/name`. */
  readonly name: string;
  readonly actions: readonly string[];
}

const MAXIMUM_SCOPE_LENGTH = 1024;

/**
 * Reads `type:name:action,action`: the type goes to the first colon, the actions start at the last.
 * @see distribution, token scope documentation, "Resource scope grammar"
 */
export function parseScope(text: string): Scope | undefined {
  if (text.length > MAXIMUM_SCOPE_LENGTH) return undefined;
  const first = text.indexOf(':');
  const last = text.lastIndexOf(':');
  if (first <= 0 || last === first) return undefined;
  const type = /^([a-z0-9]+)(?:\([a-z0-9]+\))?$/.exec(text.slice(0, first))?.[1];
  const name = text.slice(first + 1, last);
  const actions = [
    ...new Set(
      text
        .slice(last + 1)
        .split(',')
        .filter((action) => action !== ''),
    ),
  ];
  if (!type || name === '' || /[\s"\\]/.test(name)) return undefined;
  if (!actions.every((action) => /^(?:[a-z]+|\*)$/.test(action))) return undefined;
  return { type, name, actions };
}

/** Reads every `scope` value of a request: each may hold several scopes with spaces between them. */
export function parseScopes(values: readonly string[]): { scopes: Scope[]; invalid: string[] } {
  const scopes: Scope[] = [];
  const invalid: string[] = [];
  for (const text of values.flatMap((value) => value.split(' ')).filter((part) => part !== '')) {
    const scope = parseScope(text);
    if (scope) scopes.push(scope);
    else invalid.push(text);
  }
  return { scopes, invalid };
}

export function formatScope(scope: Scope): string {
  return `${scope.type}:${scope.name}:${scope.actions.join(',')}`;
}
