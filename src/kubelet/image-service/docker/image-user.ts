/** The user of an image's configuration, as CRI has it: a number, or a name, or neither where none is set. */
export interface ImageUser {
  readonly uid?: bigint;
  readonly username?: string;
}

const LARGEST_UID = 2n ** 63n - 1n;

/**
 * Reads `User`: `1000`, `1000:1000`, `app`, `app:group`. Kubelet refuses a pod with `runAsNonRoot` when it has no
 * number, so only what is certainly one becomes one.
 */
export function parseImageUser(user: string): ImageUser {
  const [name = ''] = user.split(':');
  if (name === '') return {};
  if (/^\d{1,19}$/.test(name)) {
    const uid = BigInt(name);
    if (uid <= LARGEST_UID) return { uid };
  }
  return { username: name };
}
