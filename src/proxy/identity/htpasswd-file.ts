/** A line of a password file that can't be used. The message never holds the hash. */
export class HtpasswdError extends Error {
  constructor(
    /** From 1. */
    readonly line: number,
    readonly problem: string,
    /** The file, where it is known. */
    readonly path?: string,
  ) {
    super(`${path === undefined ? '' : `${path}, `}line ${line}: ${problem}`);
    this.name = 'HtpasswdError';
  }
}

/** Longest user name that is taken, in UTF-16 code units. */
export const MAXIMUM_USERNAME_LENGTH = 256;

/** What a hash of a higher cost would keep a core busy for is longer than a login may take. */
const HIGHEST_COST = 16;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Whether a user name has a length and characters that any password file could hold. */
export function isUsername(text: string): boolean {
  return text !== '' && text.length <= MAXIMUM_USERNAME_LENGTH && !/[\p{Cc}:]/u.test(text);
}

/** The cost of a bcrypt hash: the logarithm of its rounds. */
export function bcryptCost(hash: string): number {
  return Number(BCRYPT.exec(hash)?.[1]);
}

/**
 * Reads lines of `user:hash`. Empty lines and lines that start with `#` are skipped.
 * @returns bcrypt hashes by user name
 * @throws {HtpasswdError} for the first line that is malformed, names a user again, or has another kind of hash
 */
export function parseHtpasswd(text: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const username = line.slice(0, colon);
    const hash = line.slice(colon + 1).trimEnd();
    const problem = findProblem(colon, username, hash, users);
    if (problem !== undefined) throw new HtpasswdError(index + 1, problem);
    users.set(username, hash);
  }
  return users;
}

function findProblem(
  colon: number,
  username: string,
  hash: string,
  users: ReadonlyMap<string, string>,
): string | undefined {
  if (colon < 0) return 'expected user:hash';
  if (!isUsername(username)) {
    return `a user name has 1 to ${MAXIMUM_USERNAME_LENGTH} characters and no control characters`;
  }
  if (users.has(username)) return `${username} stands in an earlier line`;
  const cost = bcryptCost(hash);
  if (Number.isNaN(cost)) return `the hash of ${username} is not bcrypt; make it with htpasswd -B`;
  if (cost < 4 || cost > HIGHEST_COST) {
    return `the hash of ${username} has cost ${cost}; expected 4 to ${HIGHEST_COST}`;
  }
  return undefined;
}
