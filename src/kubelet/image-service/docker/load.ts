import type { createDockerBackend } from './docker-backend.ts';

/** The backend and the code of the CRI's messages are loaded for nodes that have Docker Engine only. */
export async function loadDockerBackend(): Promise<typeof createDockerBackend> {
  const backend = await import('./docker-backend.ts');
  return backend.createDockerBackend;
}
