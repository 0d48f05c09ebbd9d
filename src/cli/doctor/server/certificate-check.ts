import { X509Certificate } from 'node:crypto';
import { certificateEnd } from '../certificate-end.ts';
import type { Check } from '../check.ts';
import type { Site } from './site.ts';

/** Whether the proxy's own certificate is about to end. */
export const certificateCheck: Check<Site> = {
  name: 'certificate',
  async run({ options: { server }, clock }) {
    if (!server.tls?.certificateFile.contents) return [];
    const { validTo } = new X509Certificate(server.tls.certificateFile.contents);
    return certificateEnd(server.tls.certificateFile.path, Date.parse(validTo), clock.now());
  },
};
