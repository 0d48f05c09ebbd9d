// What the examples ask: a list of people with their password hashes, and one of credentials for registries. Put
// your own directory in its place. The answers are those of the contract in docs/plugins.md.
import { createHash, scryptSync, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @param {string | URL} folder with users.json and credentials.json, and a slash at its end if it is a URL */
export function openDirectory(folder) {
  // Read each time, so that a change counts at once.
  const read = (name) => JSON.parse(readFileSync(typeof folder === 'string' ? `${folder}/${name}` : new URL(name, folder), 'utf8'));
  const userOf = (name) => {
    const users = read('users.json');
    return Object.hasOwn(users, name) ? users[name] : undefined;
  };
  const identityOf = (name, user) => ({
    name,
    groups: user.groups,
    claims: { source: 'example' },
    // Changes with the password: whoever renews with another one has to log in again.
    anchor: createHash('sha256').update(user.scrypt).digest('hex'),
  });

  return {
    verify({ username, password }) {
      const user = userOf(username);
      // An unknown user costs the same time.
      const { salt, scrypt } = user ?? { salt: '00', scrypt: '00'.repeat(32) };
      const hash = scryptSync(password, Buffer.from(salt, 'hex'), 32);
      const right = timingSafeEqual(hash, Buffer.from(scrypt, 'hex'));
      if (!user || !right) return { refused: { reason: user ? 'wrong password' : 'no such user' } };
      return { identity: identityOf(username, user) };
    },
    renew({ identity }) {
      const user = userOf(identity.name);
      if (!user) return { refused: { reason: 'no such user any more' } };
      const renewed = identityOf(identity.name, user);
      if (renewed.anchor !== identity.anchor) return { refused: { reason: 'the password has changed' } };
      return { identity: renewed };
    },
    credential({ registry }) {
      const credentials = read('credentials.json');
      if (!Object.hasOwn(credentials, registry)) return { none: {} };
      return { credential: credentials[registry] };
    },
  };
}
