import type { Check } from '../check.ts';
import { awsRegionsCheck } from './aws-regions-check.ts';
import { certificateCheck } from './certificate-check.ts';
import { challengeCheck } from './challenge-check.ts';
import { proxyHeadersCheck } from './proxy-headers-check.ts';
import { publicUrlCheck } from './public-url-check.ts';
import { signingKeyCheck } from './signing-key-check.ts';
import type { Site } from './site.ts';
import { stateCheck } from './state-check.ts';

/** What is looked at on the proxy's own side, in this order. */
export const SERVER_CHECKS: readonly Check<Site>[] = [
  publicUrlCheck,
  proxyHeadersCheck,
  challengeCheck,
  certificateCheck,
  stateCheck,
  signingKeyCheck,
  awsRegionsCheck,
];

export type { Site } from './site.ts';
