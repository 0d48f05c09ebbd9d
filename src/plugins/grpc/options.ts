import { z } from 'zod';
import { concurrencyOf } from '../common-options.ts';
import { requirePair, tlsShape } from '../tls-options.ts';
import { parseAddress } from './address.ts';

/** What a verifier or provider of type `grpc` adds to the options of its kind. */
export const grpcPluginShape = {
  type: z.literal('grpc'),
  address: z
    .string()
    .refine((text) => parseAddress(text) !== undefined, 'expected unix:///path or host:port')
    .describe(
      '`unix:///path` or `host:port`. Over TCP always with TLS; only on loopback, and where no certificateAuthorityFile is named, without.',
    ),
  ...tlsShape,
  concurrency: concurrencyOf(32),
};

export type GrpcPluginOptions = z.infer<z.ZodObject<typeof grpcPluginShape>>;

/** What no single option can say. */
export function checkGrpcOptions(options: Partial<GrpcPluginOptions>, context: z.core.$RefinementCtx): void {
  requirePair(options, context);
}
