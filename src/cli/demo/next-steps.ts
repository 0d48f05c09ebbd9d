import { ALLOWED_REPOSITORY, type DemoSite, FORBIDDEN_REPOSITORY } from './demo-site.ts';
import type { DemoProxy } from './start-demo-proxy.ts';

/**
 * What to try while the demo is up, as commands to copy. The password is in them because it is worth nothing: it was
 * made up for this run and ends with it.
 */
export function nextSteps(site: DemoSite, proxy: DemoProxy, program: string): string {
  const registry = new URL(proxy.url).host;
  const { username, configFile, logFile } = site;
  const password = site.password.reveal();
  const login = (command: string): string =>
    `echo ${password} | ${command} --username ${username} --password-stdin ${registry}`;

  return `
Try it in another terminal
  with Docker
    ${login('docker login')}
    docker run --rm ${registry}/${ALLOWED_REPOSITORY}
    docker pull ${registry}/${FORBIDDEN_REPOSITORY}    # no rule allows it
  with Podman
    ${login('podman login --tls-verify=false')}
    podman run --rm --tls-verify=false ${registry}/${ALLOWED_REPOSITORY}
  with Skopeo
    ${login('skopeo login --tls-verify=false')}
    skopeo inspect --tls-verify=false docker://${registry}/${ALLOWED_REPOSITORY}

See why
    cat ${configFile}
    ${program} explain --config ${configFile} --user ${username} ${FORBIDDEN_REPOSITORY}
    tail -f ${logFile}
    curl ${proxy.adminUrl}/metrics

Ctrl-C ends the demo and removes its files.
`;
}
