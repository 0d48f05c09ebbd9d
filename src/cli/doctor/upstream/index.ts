import type { Check } from '../check.ts';
import { certificateCheck } from './certificate-check.ts';
import { challengeCheck } from './challenge-check.ts';
import { clockCheck } from './clock-check.ts';
import { connectionCheck } from './connection-check.ts';
import { credentialCheck } from './credential-check.ts';
import { loginCheck } from './login-check.ts';
import { nameCheck } from './name-check.ts';
import { rateLimitCheck } from './rate-limit-check.ts';
import { realmCheck } from './realm-check.ts';
import { registryKindCheck } from './registry-kind-check.ts';
import type { Visit } from './visit.ts';

/** What is looked at in each upstream that is a registry, in this order. */
export const UPSTREAM_CHECKS: readonly Check<Visit>[] = [
  nameCheck,
  connectionCheck,
  certificateCheck,
  challengeCheck,
  realmCheck,
  clockCheck,
  registryKindCheck,
  credentialCheck,
  loginCheck,
  rateLimitCheck,
];

export { Visit, type VisitDependencies } from './visit.ts';
