const ADVICE: Readonly<Record<string, string>> = {
  anonymous: 'give the upstream credentials',
  dockerhub:
    'is the access token still there (Account settings, or the organization: Access tokens), and username the Docker ID, or the organization for an organization token?',
  quay: "look at the robot account in Quay: its name with the organization's, and its token (a new one ends the old)",
  ghcr: 'the token has to be a classic one with read:packages, or the app has to have Packages: read; with single sign-on the token has to be authorized for the organization',
  gitlab:
    'the token needs the scope read_registry, and must not be past its end; a deploy token goes with its own user name',
  harbor:
    "is the robot enabled and not past its end, and its name whole, with the prefix and, for a project's robot, project+name?",
  'docker-config': 'log in again: docker login REGISTRY, with the same config.json',
};

/** What to look at when a registry turns a credential of this type away. */
export function loginAdvice(type: string): string {
  return ADVICE[type] ?? 'correct the credential; the proxy tries it again when its file changes';
}
