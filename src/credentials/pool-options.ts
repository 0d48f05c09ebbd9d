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
      'Several credentials for one registry: each request takes one with most of its rate limit left; one that is refused rests while the others serve.',
    );
}
