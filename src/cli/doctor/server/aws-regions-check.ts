import { readRegionCertificates } from '../../../proxy/identity/index.ts';
import type { Check } from '../check.ts';
import { awsRegions } from './aws-regions.ts';
import type { Site } from './site.ts';

/** Whether instances of AWS can be told from others, in each region that is let in. */
export const awsRegionsCheck: Check<Site> = {
  name: 'aws regions',
  async run({ options: { authentication }, clock }) {
    return authentication.verifiers.flatMap((verifier) => {
      if (verifier.type !== 'aws-iid') return [];
      const { name, certificates, regions } = verifier;
      return awsRegions(name, readRegionCertificates(certificates), regions, clock.now());
    });
  },
};
