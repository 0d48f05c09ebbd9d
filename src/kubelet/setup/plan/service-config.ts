import { isMap, parseDocument } from 'yaml';
import { SetupError } from '../errors.ts';
import type { Backend } from '../platform/index.ts';

/**
 * The image service's configuration with its socket and backend filled in where they are missing. The rest, comments
 * included, stays as it was written.
 * @param text what there is; undefined for none
 * @throws {SetupError} when it names another socket, or would leave out an image service that kubelet has now
 */
export function serviceConfig(text: string | undefined, socket: string, backend: Backend): string {
  const document = parseDocument(text ?? '');
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new SetupError(
      'refused',
      "the image service's configuration is no YAML mapping: drp check says more",
    );
  }
  const before = document.toJS({ maxAliasCount: 0 }) ?? {};
  if (before.socket !== undefined && before.socket !== socket) {
    throw new SetupError(
      'refused',
      `the configuration says socket: ${JSON.stringify(before.socket)}; give --socket the same, or leave it out`,
    );
  }
  if (before.socket === undefined) document.set('socket', socket);
  if (before.backend === undefined) {
    document.set(
      'backend',
      document.createNode({ type: backend.type, socket: backend.socket }, { flow: true }),
    );
  } else if (backend.chained && before.backend?.socket !== backend.socket) {
    throw new SetupError(
      'refused',
      `kubelet has an image service at ${backend.socket} already, and it would be left out: ` +
        'make it the backend, or leave backend out of the configuration',
    );
  }
  const isSame = before.socket !== undefined && before.backend !== undefined;
  return isSame && text !== undefined ? text : document.toString({ lineWidth: 0 });
}
