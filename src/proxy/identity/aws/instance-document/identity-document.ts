import { z } from 'zod';
import { AWS_REGION } from '../../../../machine-identity/index.ts';

const word = z.string().regex(/^[\w.:-]{1,64}$/);

/** What is used of an instance identity document. @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html */
const identityDocument = z.object({
  accountId: z.string().regex(/^\d{12}$/),
  region: z.string().regex(AWS_REGION),
  instanceId: z.string().regex(/^i-[0-9a-f]{8,17}$/),
  /** When the instance was last started. */
  pendingTime: z.iso.datetime({ error: 'expected a time in UTC' }),
  availabilityZone: word.optional(),
  instanceType: word.optional(),
  imageId: word.optional(),
});
export type IdentityDocument = z.infer<typeof identityDocument>;

/** undefined for what is no document. */
export function parseIdentityDocument(content: Buffer): IdentityDocument | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content);
    return identityDocument.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
