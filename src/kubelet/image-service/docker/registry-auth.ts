import type { AuthConfig } from '../auth-config.ts';

/**
 * The value of `X-Registry-Auth`: JSON in base64 with the URL alphabet and **with** padding. Without the padding Docker
 * Engine reads nothing, says nothing, and pulls anonymously.
 * @returns undefined when there is no credential
 */
export function registryAuth(auth: AuthConfig | undefined): string | undefined {
  if (!auth) return undefined;
  const { username, password } = passwordOf(auth);
  const fields = {
    username,
    password,
    serveraddress: auth.serverAddress,
    identitytoken: auth.identityToken,
    registrytoken: auth.registryToken,
  };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
  if (!given.username && !given.password && !given.identitytoken && !given.registrytoken) return undefined;
  return Buffer.from(JSON.stringify(given)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** `auth` is base64 of both; what stands by itself goes before it. */
function passwordOf({ username, password, auth }: AuthConfig): { username: string; password: string } {
  if (username !== '' || password !== '' || auth === '') return { username, password };
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 0) return { username, password };
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
