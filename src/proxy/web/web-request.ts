/** A request for a page: plain values, read once. */
export interface WebRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Fields of a POST; undefined when it had none. */
  readonly form: URLSearchParams | undefined;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The URL that browsers know us by, without a slash at its end. */
  readonly publicUrl: string;
  /** The client's address. */
  readonly client: string;
}

/** A page, a redirect, or JSON. */
export interface WebAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
  /** For the audit log: somebody signed in, or did not. */
  readonly login?: WebLogin;
}

export interface WebLogin {
  readonly outcome: 'allowed' | 'refused' | 'cannot-tell';
  readonly verifier: string;
  /** Empty when nobody was recognised. */
  readonly name: string;
  readonly reason?: string;
}

/** The header's one value; undefined when it is missing or came several times. */
export function headerOf(request: WebRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

export function isSecure(request: WebRequest): boolean {
  return request.publicUrl.startsWith('https:');
}
