/** AWS can't be asked, or says no. The message says what to do; nothing of the answer is in it but names of actions and roles. */
export class AwsError extends Error {
  constructor(
    message: string,
    /** What AWS or the SDK calls it, such as `AccessDeniedException`. */
    readonly code: string,
  ) {
    super(message);
    this.name = 'AwsError';
  }
}

const MAXIMUM_NAME_LENGTH = 100;
const THROTTLED = /^(?:Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|RequestThrottled)/;
const CLOCK = /^(?:RequestExpired|RequestInTheFuture|RequestTimeTooSkewed)/;
const WRONG_KEYS =
  /^(?:UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|AuthFailure|IncompleteSignature|MissingAuthenticationToken)/;
const DENIED = /^(?:AccessDenied|UnauthorizedOperation|NotAuthorized|UnauthorizedException)/;
const ENDED = /^(?:ExpiredToken|TokenRefreshRequired)/;
const CONNECTION =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT|TimeoutError|NetworkingError)$/;

/**
 * Puts an error of the SDK into words. Neither its message nor itself is passed on: they may hold what was sent.
 * @param what the call that failed, such as `ecr:GetAuthorizationToken`
 * @param profile where credentials were to come from
 */
export function describeAwsError(error: unknown, what: string, profile?: string): AwsError {
  if (error instanceof AwsError) return error;
  const name = nameOf(error);
  const say = (message: string) => new AwsError(`${what}: ${message}`, name);
  const text = error instanceof Error ? error.message : '';
  if (name === 'TokenProviderError' || /\bsso\b/i.test(text.slice(0, 200))) return say(describeSso(text));
  if (name === 'CredentialsProviderError') return say(describeNoCredentials(profile));
  if (DENIED.test(name)) return say(describeDenied(text, what));
  if (THROTTLED.test(name)) return say('AWS throttles us; it is tried again later');
  if (CLOCK.test(name) || /signature (?:not yet current|expired)/i.test(text)) {
    return say("the signature is out of date: set this machine's clock (timedatectl)");
  }
  if (ENDED.test(name)) {
    return say('the AWS credentials have expired: renew them, or use a role that renews itself');
  }
  if (WRONG_KEYS.test(name)) {
    return say(
      "AWS does not know the access key, or the secret does not fit: check the keys, and this machine's clock",
    );
  }
  if (CONNECTION.test(name)) {
    return say(`AWS can't be reached (${name}): check DNS, the way out, and endpoints of the VPC`);
  }
  if (/^\w*(?:InternalFailure|InternalServerError|ServerException|ServiceUnavailable\w*)$/.test(name)) {
    return say('AWS has a problem of its own; it is tried again later');
  }
  return say(`failed with ${name}`);
}

function describeSso(text: string): string {
  const [, profile] = /profile[ =]([\w.-]{1,64})/.exec(text) ?? [];
  return `the SSO session has expired or was never begun: run "aws sso login${profile === undefined ? '' : ` --profile ${profile}`}"`;
}

function describeNoCredentials(profile: string | undefined): string {
  if (profile !== undefined) {
    return `the profile ${profile} gives no credentials: it does not exist, or what it refers to can't be used`;
  }
  return 'no AWS credentials were found in the environment, a profile, a web identity token, a container or the instance; in a container on EC2, the hop limit of the instance metadata has to be 2';
}

function describeDenied(text: string, what: string): string {
  const [, action] = /perform:? ([a-z0-9-]+:[A-Za-z0-9]+)/.exec(text) ?? [];
  const [, resource] = /on resource: (arn:[\w:/.+=,@*-]{1,200}|\*)/.exec(text) ?? [];
  const missing = action ?? what;
  return `AWS denies it: allow ${missing}${resource === undefined ? '' : ` on ${resource}`} in the policy of the role or user${missing === 'sts:AssumeRole' ? ', and in the trust policy of the role to assume (its external id has to be the same)' : ''}`;
}

/** Errors of the network have a code, those of AWS a name. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error';
  const code: unknown = 'code' in error ? error.code : undefined;
  const name = typeof code === 'string' && CONNECTION.test(code) ? code : error.name;
  return name.replace(/[^\w.-]/g, '').slice(0, MAXIMUM_NAME_LENGTH);
}
