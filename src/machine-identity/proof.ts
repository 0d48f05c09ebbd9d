import { Secret } from '../core/index.ts';

/**
 * What machines show of themselves in the place of a password, where that is more than one token: `drp1.KIND.PAYLOAD`, the
 * payload being JSON in base64url. There is one way only to write a payload, so two different texts are never the same proof.
 */
const PREFIX = 'drp1';
const KIND = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/** In characters. In a header of Basic authentication it grows by a third, and headers end at 16 KiB. */
export const MAXIMUM_PROOF_LENGTH = 10 * 1024;

/**
 * @param kind the type of the verifier that it is for, such as `aws-iid`
 * @throws when it is longer than {@link MAXIMUM_PROOF_LENGTH}
 */
export function formatProof(kind: string, payload: Readonly<Record<string, unknown>>): Secret {
  if (!KIND.test(kind)) throw new Error(`${kind} is no kind of proof`);
  const text = `${prefixOf(kind)}${Buffer.from(JSON.stringify(payload)).toString('base64url')}`;
  if (text.length > MAXIMUM_PROOF_LENGTH) {
    throw new Error(
      `a proof of ${text.length} characters does not fit into a login (${MAXIMUM_PROOF_LENGTH})`,
    );
  }
  return new Secret(text);
}

/** Whether a password has the form of a proof of this kind; whether it is one, {@link parseProof} says. */
export function looksLikeProof(kind: string, password: Secret): boolean {
  return password.reveal().startsWith(prefixOf(kind));
}

/** The payload of a proof, of which nothing is checked yet; undefined for anything else. */
export function parseProof(kind: string, password: Secret): Readonly<Record<string, unknown>> | undefined {
  const text = password.reveal();
  const prefix = prefixOf(kind);
  if (text.length > MAXIMUM_PROOF_LENGTH || !text.startsWith(prefix)) return undefined;
  const encoded = text.slice(prefix.length);
  if (!BASE64URL.test(encoded)) return undefined;
  const bytes = Buffer.from(encoded, 'base64url');
  const payload = parseJson(bytes.toString('utf8'));
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
  // Keys that come twice, spaces, odd escapes and stray bits all have another spelling here.
  const canonical = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return canonical === encoded ? (payload as Readonly<Record<string, unknown>>) : undefined;
}

function prefixOf(kind: string): string {
  return `${PREFIX}.${kind}.`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
