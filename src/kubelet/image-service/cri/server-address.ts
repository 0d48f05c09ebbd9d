const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_REGISTRY = 'registry-1.docker.io';

/**
 * The address that goes with a provider's credential for an image. containerd shows a credential without one to every
 * mirror, and silently drops one whose address is not the host that it asks.
 * @param image a reference
 */
export function serverAddress(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const isHost = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const host = isHost ? first : DOCKER_HUB;
  return `https://${host === DOCKER_HUB || host === `index.${DOCKER_HUB}` ? DOCKER_HUB_REGISTRY : host}`;
}
