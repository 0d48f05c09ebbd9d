import { z } from 'zod';
import { isSafeServiceUrl } from '../../core/index.ts';
import { CredentialOptionsError } from '../errors.ts';

const url = z.string().refine(isSafeServiceUrl);

const serviceAccountKey = z.object({
  type: z.literal('service_account'),
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: url.default('https://oauth2.googleapis.com/token'),
});

/** What only the library reads stays as it is. */
const externalAccount = z.looseObject({
  type: z.literal('external_account'),
  audience: z.string().min(1),
  subject_token_type: z.string().min(1),
  token_url: url.default('https://sts.googleapis.com/v1/token'),
  service_account_impersonation_url: url.optional(),
  credential_source: z.looseObject({}),
});

const anyFile = z.discriminatedUnion('type', [serviceAccountKey, externalAccount]);

export type ServiceAccountKey = z.infer<typeof serviceAccountKey>;
export type ExternalAccount = z.infer<typeof externalAccount>;
export type CredentialsFile = ServiceAccountKey | ExternalAccount;

/**
 * Reads a key, or a configuration of workload identity federation.
 * @throws {CredentialOptionsError} with the path and the key that is wrong; never with contents
 */
export function parseCredentialsFile(content: string, path: string): CredentialsFile {
  const parsed = anyFile.safeParse(parseJson(content, path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') ?? '';
  throw new CredentialOptionsError(
    issue?.code === 'invalid_union'
      ? `${path} is of a type that is not supported: expected service_account or external_account`
      : `${path} is no credential file of Google's: ${where || 'the whole'} is missing or wrong`,
  );
}

function parseJson(content: string, path: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    // What the parser says quotes the text around the fault: a private key.
    throw new CredentialOptionsError(`${path} is not JSON`);
  }
}
