import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from '@node-rs/bcrypt';
import { Secret } from '../../core/index.ts';
import { writeSampleLayout } from './sample-layout.ts';

const BCRYPT_COST = 10;
const PASSWORD_BYTES = 12;

/** Everything that the demo's proxy needs, in a folder of its own that only this user can read. */
export interface DemoSite {
  readonly folder: string;
  readonly configFile: string;
  /** Where the proxy's log goes, so that it does not stand between the steps. */
  readonly logFile: string;
  readonly username: string;
  /** Made up for this one run. */
  readonly password: Secret;
  /** Removes the folder. */
  close(): Promise<void>;
}

/** What the demo's user may pull. */
export const ALLOWED_REPOSITORY = 'hello';
/** There as well, but no rule allows it. */
export const FORBIDDEN_REPOSITORY = 'payroll';

export async function createDemoSite(port: number): Promise<DemoSite> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-demo-'));
  const username = 'demo';
  const password = new Secret(randomBytes(PASSWORD_BYTES).toString('hex'));
  const site: DemoSite = {
    folder,
    configFile: join(folder, 'drp.yaml'),
    logFile: join(folder, 'drp.log'),
    username,
    password,
    close: () => rm(folder, { recursive: true, force: true }),
  };
  try {
    const names = [
      `${ALLOWED_REPOSITORY}:latest`,
      `${ALLOWED_REPOSITORY}:1.0`,
      `${FORBIDDEN_REPOSITORY}:latest`,
    ];
    await writeSampleLayout(join(folder, 'images'), names);
    await writeFile(
      join(folder, 'users.htpasswd'),
      `${username}:${await hash(password.reveal(), { cost: BCRYPT_COST })}\n`,
      { mode: 0o600 },
    );
    await writeFile(site.configFile, configuration(port));
    return site;
  } catch (error) {
    await site.close();
    throw error;
  }
}

function configuration(port: number): string {
  return `# The configuration of drp demo; the folder is removed when the demo ends.
server:
  address: 127.0.0.1:${port}
  adminAddress: 127.0.0.1:0 # any free port

upstreams:
  samples: { layout: ./images } # an OCI image layout on disk; a registry has a url instead

routes:
  - { upstream: samples }

authentication:
  verifiers:
    - { name: local, type: htpasswd, file: users.htpasswd }

authorization:
  rules: # nothing is allowed that no rule grants
    - name: demo pulls ${ALLOWED_REPOSITORY}
      when: 'identity.verifier == "local" && identity.name == "demo"'
      repositories: [${ALLOWED_REPOSITORY}]
      actions: [pull]
`;
}
