export { type Containerd, startContainerd } from './containerd.ts';
export { type DockerRegistry, startDockerRegistry } from './docker-registry.ts';
export { type Dockerd, startDockerd } from './dockerd.ts';
export { type Nginx, startNginx } from './nginx.ts';
export { type LdapEntry, type Slapd, SUFFIX, startSlapd } from './slapd.ts';
export { startTokenRealm, type TokenRealm } from './token-realm.ts';
