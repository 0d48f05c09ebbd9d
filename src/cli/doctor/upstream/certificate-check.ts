import { certificateEnd } from '../certificate-end.ts';
import type { Check } from '../check.ts';
import type { Visit } from './visit.ts';

/** Whether the registry's certificate is about to end. */
export const certificateCheck: Check<Visit> = {
  name: 'certificate',
  needs: ['connection'],
  async run(visit, signal) {
    const { certificate } = await visit.connected(signal);
    if (!certificate) return [];
    return certificateEnd("the registry's certificate", certificate.endsAt, visit.dependencies.clock.now());
  },
};
