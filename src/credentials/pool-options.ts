import { z } from 'zod';

const MOST_MEMBERS = 32;

/** `type: pool`. @param member the options of one credential */
export function poolOptionsOf<Member extends z.ZodType>(member: Member) {
  return z
    .strictObject({
      type: z.literal('pool'),
      members: z
        // Described once, where a single credential is.
        .array(member.meta({ title: 'Credentials' }))
        .min(1)
        .max(MOST_MEMBERS)
        .describe('Credentials of any other type. Metrics and `drp doctor` number them from 0.'),
    })
    .describe(
      'Several credentials for one registry. The proxy takes the one with most of its rate limit left; the image service takes the next one when one is turned away or used up. Whichever was refused rests while the others serve. Kubelet tells its exec plugin nothing of refusals, so that one gives the first that can be had.',
    );
}
