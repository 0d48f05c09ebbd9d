import { randomBytes } from 'node:crypto';
import type { Accounts, Principal } from './account.ts';
import { type Service, type ServiceAnswer, type ServiceRequest, startService } from './service.ts';
import { checkSignature } from './signature.ts';

/** A password for the registry that the API handed out. */
export interface IssuedPassword {
  readonly principal: Principal;
  readonly region: string;
  /** Milliseconds since the epoch, by the clock of the cloud. */
  readonly expiresAt: number;
}

/** The API of Amazon ECR, private and public, for one action: GetAuthorizationToken. */
export interface EcrApi extends Service {
  /** What the registry knows of a password. */
  passwordOf(password: string): IssuedPassword | undefined;
  /** As if all had ended. */
  revokeAll(): void;
  /** From now on each call is answered so; undefined ends that. */
  answerInstead(answer: ServiceAnswer | undefined): void;
  /** Of passwords that are issued from now on. */
  lifetimeMs: number;
}

const LIFETIME_MS = 12 * 60 * 60_000;
const PRIVATE = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';
const PUBLIC = 'SpencerFrontendService.GetAuthorizationToken';

/** JSON 1.1 over a signed POST. @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/ */
export async function startEcrApi(
  accounts: Accounts,
  options: { readonly newPassword?: () => string } = {},
): Promise<EcrApi> {
  const { newPassword = () => randomBytes(900).toString('base64') } = options;
  const issued = new Map<string, IssuedPassword>();
  let instead: ServiceAnswer | undefined;

  function answer(request: ServiceRequest): ServiceAnswer {
    if (instead) return dated(instead);
    const target = request.header('x-amz-target');
    const isPublic = target === PUBLIC;
    if (request.method !== 'POST' || request.path !== '/' || (!isPublic && target !== PRIVATE)) {
      return failure(400, 'UnknownOperationException', '');
    }
    const signed = checkSignature(request, { accounts, service: isPublic ? 'ecr-public' : 'ecr' });
    if ('code' in signed) return signatureFailure(signed.code, signed.message);
    const { principal } = signed.keys;
    const missing = (
      isPublic
        ? ['ecr-public:GetAuthorizationToken', 'sts:GetServiceBearerToken']
        : ['ecr:GetAuthorizationToken']
    ).find((action) => !principal.permissions.has(action));
    if (missing !== undefined) {
      return failure(
        400,
        'AccessDeniedException',
        `User: ${principal.arn} is not authorized to perform: ${missing} on resource: * because no identity-based policy allows the ${missing} action`,
      );
    }
    if (isPublic && signed.region !== 'us-east-1')
      return failure(400, 'InvalidParameterException', 'wrong region');
    const password = newPassword();
    const expiresAt = accounts.now() + api.lifetimeMs;
    issued.set(password, { principal, region: signed.region, expiresAt });
    const data = {
      authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
      expiresAt: expiresAt / 1000,
      ...(!isPublic && {
        proxyEndpoint: `https://${principal.account}.dkr.ecr.${signed.region}.amazonaws.com`,
      }),
    };
    return json(200, { authorizationData: isPublic ? data : [data] });
  }

  function signatureFailure(code: string, message: string): ServiceAnswer {
    switch (code) {
      case 'InvalidClientTokenId':
        return failure(400, 'UnrecognizedClientException', message);
      case 'ExpiredToken':
        return failure(400, 'ExpiredTokenException', message);
      case 'SignatureDoesNotMatch':
        return failure(400, 'InvalidSignatureException', message);
      default:
        return failure(400, `${code}Exception`, message);
    }
  }

  const failure = (status: number, type: string, message: string) => json(status, { __type: type, message });
  const json = (status: number, body: unknown) =>
    dated({ status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(body) });
  const dated = (reply: ServiceAnswer): ServiceAnswer => ({
    ...reply,
    headers: { date: new Date(accounts.now()).toUTCString(), ...reply.headers },
  });

  const service = await startService(answer);
  const api: EcrApi = {
    ...service,
    lifetimeMs: LIFETIME_MS,
    passwordOf: (password) => issued.get(password),
    revokeAll: () => issued.clear(),
    answerInstead: (next) => {
      instead = next;
    },
  };
  return api;
}
