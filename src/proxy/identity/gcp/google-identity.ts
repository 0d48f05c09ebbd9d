import { isRecord } from '../../../oci/index.ts';
import type { Outcome } from '../verifier.ts';
import type { GcpVerifierOptions } from './options.ts';

/** `iss` of all identity tokens of Google, exact. */
export const GOOGLE_ISSUER = 'https://accounts.google.com';

type Claims = Readonly<Record<string, unknown>>;

/** The instance of Compute Engine that a token was made on. */
interface Instance {
  readonly projectId: string;
  readonly projectNumber: string;
  readonly zone: string;
  readonly instanceId: string;
  readonly instanceName: string;
}

/** Who a token is of to the rules, if the lists let it in. The token has to have been verified. */
export function identify(options: GcpVerifierOptions, claims: Claims): Outcome {
  const instance = instanceOf(claims);
  if (instance === 'malformed') return refused('what it says of its instance is malformed');
  const serviceAccount = accountOf(claims);
  const refusal = findRefusal(options, instance, serviceAccount);
  if (refusal !== undefined) return refused(refusal);
  const name = instance ? `${instance.projectId}/${instance.zone}/${instance.instanceName}` : serviceAccount;
  if (name === undefined) return refused('it names neither an instance nor a service account');
  return {
    type: 'identity',
    identity: {
      verifier: options.name,
      name,
      groups: [],
      claims: {
        ...(instance ?? { projectId: projectOf(serviceAccount) }),
        ...(serviceAccount !== undefined && { serviceAccount }),
      },
    },
  };
}

function findRefusal(
  { projects, zones, serviceAccounts }: GcpVerifierOptions,
  instance: Instance | undefined,
  account: string | undefined,
): string | undefined {
  if (!instance && !serviceAccounts) {
    return 'it names no instance (google.compute_engine): ask the metadata server for format=full, or list the service account in serviceAccounts';
  }
  if (serviceAccounts && (account === undefined || !serviceAccounts.includes(account))) {
    return `the service account ${account ?? '(none)'} is not let in`;
  }
  const project = instance ? instance.projectId : projectOf(account);
  if (project === undefined || !projects.includes(project)) {
    return `the project ${project ?? '(none)'} is not let in`;
  }
  if (zones && (!instance || !zones.includes(instance.zone))) {
    return `the zone ${instance?.zone ?? '(none)'} is not let in`;
  }
  return undefined;
}

/** @see https://cloud.google.com/compute/docs/instances/verifying-instance-identity#payload */
function instanceOf(claims: Claims): Instance | 'malformed' | undefined {
  const google = claims.google;
  if (google === undefined) return undefined;
  const engine = isRecord(google) ? google.compute_engine : undefined;
  if (!isRecord(engine)) return 'malformed';
  const [projectId, zone] = [textOf(engine.project_id), textOf(engine.zone)];
  const [instanceId, instanceName] = [textOf(engine.instance_id), textOf(engine.instance_name)];
  const projectNumber = textOf(String(engine.project_number));
  if (!projectId || !zone || !instanceId || !instanceName || !projectNumber) return 'malformed';
  return { projectId, projectNumber, zone, instanceId, instanceName };
}

/** The address counts only where Google has checked it. */
function accountOf({ email, email_verified: isVerified }: Claims): string | undefined {
  return isVerified === true ? textOf(email) : undefined;
}

/** Accounts that people make are named after their project; others can't be told. */
function projectOf(account: string | undefined): string | undefined {
  const match = /^[a-z0-9-]+@([a-z0-9-]+)(?:\.([a-z0-9.-]+))?\.iam\.gserviceaccount\.com$/.exec(
    account ?? '',
  );
  if (!match?.[1]) return undefined;
  // Projects of old domains: PROJECT.DOMAIN stands for DOMAIN:PROJECT.
  return match[2] === undefined ? match[1] : `${match[2]}:${match[1]}`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x21-\x7e]{1,253}$/.test(value) ? value : undefined;
}

function refused(reason: string): Outcome {
  return { type: 'refused', reason };
}
