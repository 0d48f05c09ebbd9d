import { readTokenFile, tokenClaims } from '../../credentials/index.ts';
import type { Probe } from './probe.ts';

const DEFAULT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** Where platforms say that they have put a projected token. */
const VARIABLES = ['AZURE_FEDERATED_TOKEN_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE'];

/** Tokens in files: those that a pod has by itself, those that its environment names, and those that were asked for. */
export function tokenProbes(
  named: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Probe[] {
  const found = VARIABLES.flatMap((name) => env[name] ?? []);
  return [...new Set([DEFAULT_TOKEN, ...found, ...named])].map((path) => ({
    verifier: 'kubernetes',
    source: path,
    async look() {
      const claims = tokenClaims(await readTokenFile(path));
      if (!claims) throw new Error('it is no JWT');
      return claims;
    },
  }));
}
