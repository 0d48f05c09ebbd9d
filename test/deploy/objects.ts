import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { mustRun } from '../support/commands.ts';

/** An object as it would be sent to the API server. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly spec: PodSpec };
    readonly egress?: readonly EgressRule[];
  };
}

interface EgressRule {
  readonly to?: readonly { readonly ipBlock?: { readonly cidr: string } }[];
  readonly ports?: readonly { readonly port: number }[];
}

export interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly securityContext?: SecurityContext;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly resources?: { readonly limits?: { readonly memory?: string } };
  readonly securityContext?: SecurityContext;
}

interface SecurityContext {
  readonly runAsNonRoot?: boolean;
  readonly privileged?: boolean;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
}

export const DEPLOY = join(import.meta.dirname, '../../deploy');

/** What `kubectl apply --kustomize` would send. */
export async function kustomized(folder: string): Promise<KubernetesObject[]> {
  const { stdout } = await mustRun('kubectl', ['kustomize', join(DEPLOY, 'kustomize', folder)], {
    home: DEPLOY,
  });
  return objectsOf(stdout);
}

export function objectsOf(text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as KubernetesObject | null;
    return value === null ? [] : [value];
  });
}

export function podsOf(
  objects: readonly KubernetesObject[],
): { readonly owner: string; readonly pod: PodSpec }[] {
  return objects.flatMap(({ kind, metadata, spec }) =>
    spec?.template ? [{ owner: `${kind} ${metadata.name}`, pod: spec.template.spec }] : [],
  );
}

export function containersOf({ containers, initContainers = [] }: PodSpec): readonly Container[] {
  return [...containers, ...initContainers];
}
