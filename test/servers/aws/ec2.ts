import type { Accounts } from './account.ts';
import { type Service, type ServiceAnswer, type ServiceRequest, startService } from './service.ts';
import { checkSignature } from './signature.ts';

export type InstanceState = 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped';

/** The API of Amazon EC2, for one action: DescribeInstances. */
export interface Ec2 extends Service {
  /** Instances by account and id. */
  readonly instances: Map<string, Map<string, InstanceState>>;
  /** From now on each call is answered so; undefined ends that. */
  answerInstead(answer: ServiceAnswer | undefined): void;
}

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
export async function startEc2(accounts: Accounts): Promise<Ec2> {
  const instances = new Map<string, Map<string, InstanceState>>();
  let instead: ServiceAnswer | undefined;

  function answer(request: ServiceRequest): ServiceAnswer {
    if (instead) return instead;
    const signed = checkSignature(request, { accounts, service: 'ec2' });
    if ('code' in signed)
      return failure(signed.code === 'ExpiredToken' ? 400 : 401, 'AuthFailure', signed.message);
    const { principal } = signed.keys;
    const parameters = new URLSearchParams(request.body.toString());
    if (parameters.get('Action') !== 'DescribeInstances') return failure(400, 'InvalidAction', 'not here');
    if (!principal.permissions.has('ec2:DescribeInstances')) {
      return failure(
        403,
        'UnauthorizedOperation',
        `You are not authorized to perform this operation. User: ${principal.arn} is not authorized to perform: ec2:DescribeInstances because no identity-based policy allows the ec2:DescribeInstances action`,
      );
    }
    const id = parameters.get('InstanceId.1') ?? '';
    const state = instances.get(principal.account)?.get(id);
    if (state === undefined) {
      return failure(400, 'InvalidInstanceID.NotFound', `The instance ID '${id}' does not exist`);
    }
    return {
      status: 200,
      headers: { 'content-type': 'text/xml;charset=UTF-8' },
      body: `<?xml version="1.0" encoding="UTF-8"?><DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet><item><reservationId>r-1</reservationId><ownerId>${principal.account}</ownerId><instancesSet><item><instanceId>${id}</instanceId><instanceState><code>16</code><name>${state}</name></instanceState></item></instancesSet></item></reservationSet></DescribeInstancesResponse>`,
    };
  }

  function failure(status: number, code: string, message: string): ServiceAnswer {
    return {
      status,
      headers: { 'content-type': 'text/xml;charset=UTF-8', date: new Date(accounts.now()).toUTCString() },
      body: `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>r</RequestID></Response>`,
    };
  }

  const service = await startService(answer);
  return {
    ...service,
    instances,
    answerInstead: (next) => {
      instead = next;
    },
  };
}
