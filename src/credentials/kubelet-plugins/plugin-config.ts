import { parse } from 'yaml';
import { z } from 'zod';
import { CredentialOptionsError } from '../errors.ts';
import { parseGoDuration } from './go-duration.ts';
import { type ImageMatch, parseImageMatch } from './match-images.ts';

/** One plugin, as kubelet's configuration file describes it. */
export interface PluginEntry {
  /** Of the program, too. */
  readonly name: string;
  readonly matchImages: readonly ImageMatch[];
  /** For answers that don't say how long they hold, in milliseconds. */
  readonly defaultCacheDurationMs: number;
  /** Of the questions and the answers. */
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly tokenAttributes?: TokenAttributes;
}

/** What a plugin wants to know of a pod's service account. */
export interface TokenAttributes {
  readonly audience: string;
  readonly required: boolean;
}

const goDuration = z.string().transform((text, context) => {
  const parsed = parseGoDuration(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(text)} is no duration; expected 12h or 5m0s`,
  });
  return z.NEVER;
});

const imageMatch = z.string().transform((text, context): ImageMatch => {
  const parsed = parseImageMatch(text);
  if (parsed) return parsed;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is no pattern over images` });
  return z.NEVER;
});

const entry = z.looseObject({
  // A path would leave the folder.
  name: z.string().regex(/^(?!\.{1,2}$)[^/\s\\\0]+$/, 'is no name of a program'),
  matchImages: z.array(imageMatch).min(1),
  defaultCacheDuration: goDuration,
  apiVersion: z.string().regex(/^credentialprovider\.kubelet\.k8s\.io\/v1(?:alpha1|beta1)?$/, 'is not known'),
  args: z.array(z.string().refine((text) => !text.includes('\0'), 'holds a NUL')).nullish(),
  env: z
    .array(z.looseObject({ name: z.string().regex(/^[^=\0]+$/), value: z.string().default('') }))
    .nullish(),
  tokenAttributes: z
    .looseObject({
      serviceAccountTokenAudience: z.string().min(1),
      requireServiceAccount: z.boolean().default(false),
      requiredServiceAccountAnnotationKeys: z.array(z.string()).nullish(),
    })
    .nullish(),
});

const configFile = z.looseObject({
  kind: z.literal('CredentialProviderConfig'),
  apiVersion: z.string().regex(/^kubelet\.config\.k8s\.io\/v1(?:alpha1|beta1)?$/, 'is not known'),
  providers: z.array(entry).min(1),
});

/**
 * Reads kubelet's CredentialProviderConfig, YAML or JSON, of any version. Keys that a later one may add are passed over.
 * @throws {CredentialOptionsError} with the file's path and the place in it; never with its contents besides
 * @see https://kubernetes.io/docs/reference/config-api/kubelet-config.v1/#CredentialProviderConfig
 */
export function parsePluginConfig(content: string, path: string): readonly PluginEntry[] {
  let value: unknown;
  try {
    value = parse(content);
  } catch {
    throw new CredentialOptionsError(`${path} is not YAML`);
  }
  const parsed = configFile.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') || 'the whole';
    throw new CredentialOptionsError(
      `${path} is not kubelet's CredentialProviderConfig: ${where}: ${issue?.message}`,
    );
  }
  const entries = parsed.data.providers.map(toEntry);
  const twice = entries.find(({ name }, index) => entries.findIndex((other) => other.name === name) < index);
  if (twice) throw new CredentialOptionsError(`${path} names the plugin ${twice.name} twice`);
  return entries;
}

function toEntry(provider: z.infer<typeof entry>): PluginEntry {
  const { name, matchImages, defaultCacheDuration, apiVersion, args, env, tokenAttributes } = provider;
  return {
    name,
    matchImages,
    defaultCacheDurationMs: defaultCacheDuration,
    apiVersion,
    args: args ?? [],
    env: Object.fromEntries((env ?? []).map((variable) => [variable.name, variable.value])),
    ...(tokenAttributes && {
      tokenAttributes: {
        audience: tokenAttributes.serviceAccountTokenAudience,
        // Annotations are known to kubelet alone.
        required:
          tokenAttributes.requireServiceAccount ||
          (tokenAttributes.requiredServiceAccountAnnotationKeys ?? []).length > 0,
      },
    }),
  };
}
