import { z } from 'zod';
import { EngineError } from './errors.ts';

/** The parts of Docker Engine's answers that are read, in every version from 1.41 on; null stands for an empty list. */

const names = z.array(z.string()).nullish();

/** An entry of `GET /images/json`. */
export const imageSummary = z.looseObject({
  Id: z.string(),
  RepoTags: names,
  RepoDigests: names,
  Size: z.number().nullish(),
});
export type ImageSummary = z.infer<typeof imageSummary>;

/** `GET /images/{name}/json`. */
export const imageInspect = z.looseObject({
  Id: z.string(),
  RepoTags: names,
  RepoDigests: names,
  Size: z.number().nullish(),
  Created: z.string().nullish(),
  Author: z.string().nullish(),
  Architecture: z.string().nullish(),
  Variant: z.string().nullish(),
  Os: z.string().nullish(),
  Config: z
    .looseObject({
      User: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  RootFS: z.looseObject({ Type: z.string().nullish(), Layers: names }).nullish(),
});
export type ImageInspect = z.infer<typeof imageInspect>;

/** An entry of `GET /containers/json`. */
export const containerSummary = z.looseObject({ Id: z.string(), ImageID: z.string(), Names: names });

/** `GET /info`. */
export const engineInfo = z.looseObject({
  DockerRootDir: z.string().startsWith('/'),
  DriverStatus: z.array(z.array(z.string())).nullish(),
  Containerd: z.looseObject({ Address: z.string().nullish() }).nullish(),
});
export type EngineInfo = z.infer<typeof engineInfo>;

/** A line of the answer to a pull. */
export const pullLine = z.looseObject({
  id: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.looseObject({ code: z.number().optional(), message: z.string().optional() }).optional(),
  progressDetail: z.looseObject({ current: z.number().optional(), total: z.number().optional() }).nullish(),
});
export type PullLine = z.infer<typeof pullLine>;

/** @throws {EngineError} when Docker Engine answers in a shape that it never has */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new EngineError(
    200,
    `Docker Engine's answer about ${what} can't be read: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}
