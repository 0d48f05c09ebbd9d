import type { VerifierOptions } from '../../proxy/identity/index.ts';

/** Whether a verifier has a say in a login with a user name and a password. */
export interface VerifierRole {
  readonly verifier: string;
  readonly type: VerifierOptions['type'];
  readonly asked: boolean;
  readonly why: string;
}

/** Which verifiers would be asked about this user name, in order, and why the others would not. */
export function whoIsAsked(verifiers: readonly VerifierOptions[], user: string): VerifierRole[] {
  const picked = verifiers.find((verifier) => userNameOf(verifier) === user);
  let place = 0;
  return verifiers.map((options): VerifierRole => {
    const common = { verifier: options.name, type: options.type };
    const only = onlyFor(options);
    if (options === picked) return { ...common, asked: true, why: 'alone: the user name picks it' };
    if (picked) return { ...common, asked: false, why: `the user name picks ${picked.name}` };
    if (only !== undefined) return { ...common, asked: false, why: only };
    place += 1;
    return { ...common, asked: true, why: `as number ${place}, until one knows the login` };
  });
}

function onlyFor(options: VerifierOptions): string | undefined {
  const userName = userNameOf(options);
  if (userName !== undefined) return `only for the user name ${userName}`;
  if (options.type === 'mtls') return 'only for client certificates';
  const issuer = tokenIssuerOf(options);
  return issuer === undefined ? undefined : `only for tokens of ${issuer}`;
}

function userNameOf(options: VerifierOptions): string | undefined {
  return 'username' in options ? options.username : undefined;
}

/** Of verifiers that take an issuer's tokens as the password; others may have an issuer for something else. */
function tokenIssuerOf(options: VerifierOptions): string | undefined {
  if (options.type === 'gcp') return 'https://accounts.google.com';
  return options.type === 'jwt' || options.type === 'kubernetes' ? options.issuer : undefined;
}
