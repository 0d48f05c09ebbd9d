import * as apps from 'kubernetes-models/apps/v1';
import * as coordination from 'kubernetes-models/coordination.k8s.io/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as rbac from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import * as core from 'kubernetes-models/v1';
import type { KubernetesObject } from './objects.ts';

interface Model {
  new (data: never): { validate(): void };
}

const MODELS: Readonly<Record<string, object>> = {
  v1: core,
  'apps/v1': apps,
  'coordination.k8s.io/v1': coordination,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
  'rbac.authorization.k8s.io/v1': rbac,
};

/** Kinds that the API server learns from a custom resource definition; their own operator checks them. */
const CUSTOM: ReadonlySet<string> = new Set(['monitoring.coreos.com/v1 ServiceMonitor']);

/** Checks an object against the schema of the Kubernetes API. @throws Error that names the field */
export function checkAgainstApi(object: KubernetesObject): void {
  const { apiVersion, kind, metadata } = object;
  if (CUSTOM.has(`${apiVersion} ${kind}`)) return;
  const models = MODELS[apiVersion] as Readonly<Record<string, Model>> | undefined;
  const model = models?.[kind];
  if (!model) throw new Error(`${kind} ${metadata.name}: the API has no ${apiVersion} ${kind}`);
  try {
    new model(object as never).validate();
  } catch (error) {
    throw new Error(`${kind} ${metadata.name}: ${error instanceof Error ? error.message : error}`);
  }
}
