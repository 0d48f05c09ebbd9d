/** No server answered in time, or sensibly. */
export class LdapUnavailableError extends Error {
  constructor(reasons: readonly string[], causes: readonly unknown[]) {
    super(`no LDAP server could answer: ${reasons.join('; ')}`, { cause: causes.at(-1) });
    this.name = 'LdapUnavailableError';
  }
}

/** The configuration does not fit the directory: no other server would say anything else. */
export class LdapSetupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'LdapSetupError';
  }
}

/** A server sent more than any sensible answer has. */
export class AnswerTooLargeError extends Error {
  constructor(maximumBytes: number) {
    super(`the server sent more than ${maximumBytes} bytes`);
    this.name = 'AnswerTooLargeError';
  }
}
