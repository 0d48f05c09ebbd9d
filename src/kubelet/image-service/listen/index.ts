export { activatedSocket, listenOnActivated } from './activation.ts';
export { SocketError } from './errors.ts';
export { isSamePlace } from './same-place.ts';
export { type ListeningSocket, listenOnSocket } from './unix-socket.ts';
