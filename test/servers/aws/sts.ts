import type { AccessKeys, Accounts } from './account.ts';
import { type Service, type ServiceAnswer, type ServiceRequest, startService } from './service.ts';
import { checkSignature, type Signed } from './signature.ts';

/** The Security Token Service, for the three actions that the program uses. */
export interface Sts extends Service {
  /** From now on each call is answered so; undefined ends that. */
  answerInstead(answer: (() => ServiceAnswer | undefined) | undefined): void;
}

/**
 * The query protocol over POST or GET: signatures are verified, and answers are XML unless the client accepts JSON alone.
 * @param webIdentities tokens that AssumeRoleWithWebIdentity takes, and the ARNs of the roles behind them
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/
 */
export async function startSts(
  accounts: Accounts,
  options: { readonly webIdentities?: ReadonlyMap<string, string> } = {},
): Promise<Sts> {
  let instead: (() => ServiceAnswer | undefined) | undefined;

  function answer(request: ServiceRequest): ServiceAnswer | undefined {
    if (instead) return instead();
    const isJson = request.header('accept') === 'application/json';
    const parameters = new URLSearchParams(
      request.method === 'POST' ? request.body.toString() : request.query,
    );
    const fail = (status: number, code: string, message: string): ServiceAnswer =>
      failure(isJson, status, code, message);
    const action = parameters.get('Action');
    if (action === 'AssumeRoleWithWebIdentity') return assumeWithToken(parameters, isJson, fail);
    const host = request.header('host') ?? '';
    const signed = checkSignature(request, { accounts, service: 'sts', region: regionOf(host) });
    if ('code' in signed) {
      return fail(signed.code === 'IncompleteSignature' ? 400 : 403, signed.code, signed.message);
    }
    if (parameters.get('Version') !== '2011-06-15')
      return fail(400, 'InvalidAction', 'Could not find operation');
    if (action === 'GetCallerIdentity') return callerIdentity(signed, isJson);
    if (action === 'AssumeRole') return assume(signed, parameters, isJson, fail);
    return fail(400, 'InvalidAction', `Could not find operation ${action}`);
  }

  function callerIdentity({ keys: { principal } }: Signed, isJson: boolean): ServiceAnswer {
    const { account, arn, userId } = principal;
    return success(isJson, 'GetCallerIdentity', { Account: account, Arn: arn, UserId: userId });
  }

  function assume(
    { keys }: Signed,
    parameters: URLSearchParams,
    isJson: boolean,
    fail: (status: number, code: string, message: string) => ServiceAnswer,
  ): ServiceAnswer {
    const arn = parameters.get('RoleArn') ?? '';
    const role = accounts.roleOf(arn);
    const isTrusted = role?.trusted.some((id) => id === '*' || id === keys.accessKeyId);
    if (!role || !isTrusted || (role.externalId ?? null) !== parameters.get('ExternalId')) {
      return fail(
        403,
        'AccessDenied',
        `User: ${keys.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      );
    }
    return session(
      'AssumeRole',
      accounts.startSession(role, parameters.get('RoleSessionName') ?? ''),
      isJson,
    );
  }

  function assumeWithToken(
    parameters: URLSearchParams,
    isJson: boolean,
    fail: (status: number, code: string, message: string) => ServiceAnswer,
  ): ServiceAnswer {
    const arn = options.webIdentities?.get(parameters.get('WebIdentityToken') ?? '');
    const role = arn === undefined ? undefined : accounts.roleOf(arn);
    if (!role || arn !== parameters.get('RoleArn')) {
      return fail(
        400,
        'InvalidIdentityToken',
        'No OpenIDConnect provider found in your account for the token',
      );
    }
    const keys = accounts.startSession(role, parameters.get('RoleSessionName') ?? '');
    return session('AssumeRoleWithWebIdentity', keys, isJson);
  }

  function session(action: string, keys: AccessKeys, isJson: boolean): ServiceAnswer {
    return success(isJson, action, {
      Credentials: {
        AccessKeyId: keys.accessKeyId,
        SecretAccessKey: keys.secretAccessKey,
        SessionToken: keys.sessionToken ?? '',
        Expiration: new Date(keys.expiresAt ?? 0).toISOString(),
      },
      AssumedRoleUser: { Arn: keys.principal.arn, AssumedRoleId: keys.principal.userId },
    });
  }

  const service = await startService(answer);
  return {
    ...service,
    answerInstead: (next) => {
      instead = next;
    },
  };
}

interface Tree {
  readonly [name: string]: string | Tree;
}

function success(isJson: boolean, action: string, result: Tree): ServiceAnswer {
  const body: Tree = {
    [`${action}Response`]: {
      [`${action}Result`]: result,
      ResponseMetadata: { RequestId: '01234567-89ab-cdef-0123-456789abcdef' },
    },
  };
  return isJson
    ? { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    : { status: 200, headers: { 'content-type': 'text/xml' }, body: xml(body) };
}

function failure(isJson: boolean, status: number, code: string, message: string): ServiceAnswer {
  const error: Tree = { Type: 'Sender', Code: code, Message: message };
  return isJson
    ? {
        status,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Error: error, RequestId: '01234567-89ab-cdef-0123-456789abcdef' }),
      }
    : {
        status,
        headers: { 'content-type': 'text/xml' },
        body: xml({ ErrorResponse: { Error: error, RequestId: '01234567-89ab-cdef-0123-456789abcdef' } }),
      };
}

function xml(tree: Tree): string {
  return Object.entries(tree)
    .map(([name, value]) => {
      const inner =
        typeof value === 'string' ? value.replace(/&/g, '&amp;').replace(/</g, '&lt;') : xml(value);
      return `<${name}>${inner}</${name}>`;
    })
    .join('');
}

/** Where a request was meant to go says which region it has to be signed for; on loopback any will do. */
function regionOf(host: string): string | undefined {
  if (host === 'sts.amazonaws.com') return 'us-east-1';
  return /^sts(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com/.exec(host)?.[1];
}
