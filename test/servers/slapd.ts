import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { findBinary } from '../support/binaries.ts';
import type { IssuedCertificate } from '../support/certificates.ts';
import { findFreePort } from '../support/ports.ts';
import { type RunningProcess, startProcess } from '../support/processes.ts';
import { createTemporaryFolder } from '../support/temporary-folder.ts';

const START_TRIES = 5;
const SCHEMAS = ['core', 'cosine', 'inetorgperson'];

export const SUFFIX = 'dc=example,dc=com';
const ADMINISTRATOR = `cn=admin,${SUFFIX}`;
const ADMINISTRATOR_PASSWORD = 'not a secret';

/** An entry's distinguished name and its attributes. */
export type LdapEntry = readonly [dn: string, attributes: Record<string, string | string[]>];

/** How to start slapd. */
export interface SlapdOptions {
  /** Added in order, so an entry comes behind those that it names. */
  readonly entries: readonly LdapEntry[];
  /** For ldaps and StartTLS. */
  readonly certificate?: IssuedCertificate;
}

/** An OpenLDAP server of the test's own. */
export interface Slapd {
  readonly port: number;
  /** Where it speaks ldaps, with a certificate. */
  readonly tlsPort: number;
  /** Every connection, operation and result. */
  logs(): string;
  /** Does something as the administrator. */
  administer(work: (client: Client) => Promise<void>): Promise<void>;
  /** Ends the server at once; its data and ports stay. */
  kill(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts slapd on loopback. Only who has logged in may read; a bind without a password succeeds, as it does on many
 * servers; entries have `memberOf`.
 */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const command = findBinary('slapd');
  const folder = await createTemporaryFolder('slapd');
  const configFile = join(folder.path, 'slapd.conf');
  const logFile = join(folder.path, 'slapd.log');
  await mkdir(join(folder.path, 'data'));
  await writeFile(configFile, configuration(folder.path, options.certificate !== undefined));
  if (options.certificate) {
    await writeFile(join(folder.path, 'tls.crt'), options.certificate.certificatePem);
    await writeFile(join(folder.path, 'tls.key'), options.certificate.keyPem, { mode: 0o600 });
  }

  async function run(port: number, tlsPort: number): Promise<RunningProcess<true>> {
    const tlsUrl = options.certificate ? ` ldaps://127.0.0.1:${tlsPort}/` : '';
    return startProcess({
      command,
      arguments: ['-d', 'stats', '-f', configFile, '-h', `ldap://127.0.0.1:${port}/${tlsUrl}`],
      logFile,
      ready: async () => {
        await administer(port, async () => undefined);
        return true as const;
      },
    });
  }

  async function runSomewhere(): Promise<{ port: number; tlsPort: number; server: RunningProcess<true> }> {
    for (let tries = 1; ; tries++) {
      const port = await findFreePort();
      const tlsPort = await findFreePort();
      try {
        return { port, tlsPort, server: await run(port, tlsPort) };
      } catch (error) {
        if (!/Address already in use/.test(String(error)) || tries >= START_TRIES) throw error;
      }
    }
  }

  try {
    const { port, tlsPort, ...first } = await runSomewhere();
    let { server } = first;
    await administer(port, async (client) => {
      for (const [dn, attributes] of options.entries) await client.add(dn, attributes);
    });
    return {
      port,
      tlsPort,
      logs: () => server.logs(),
      administer: (work) => administer(port, work),
      async kill() {
        server.signal('SIGKILL');
        await server.exited;
      },
      async start() {
        server = await run(port, tlsPort);
      },
      async close() {
        await server.close();
        await folder.close();
      },
    };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function administer(port: number, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ url: `ldap://127.0.0.1:${port}`, timeout: 10_000, connectTimeout: 10_000 });
  try {
    await client.bind(ADMINISTRATOR, ADMINISTRATOR_PASSWORD);
    await work(client);
  } finally {
    await client.unbind();
  }
}

function configuration(folder: string, withTls: boolean): string {
  const path = (name: string) => JSON.stringify(join(folder, name));
  const tls = [`TLSCertificateFile ${path('tls.crt')}`, `TLSCertificateKeyFile ${path('tls.key')}`];
  return `${SCHEMAS.map((name) => `include /etc/ldap/schema/${name}.schema`).join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile ${path('slapd.pid')}
allow bind_anon_cred
${withTls ? tls.join('\n') : ''}
database mdb
suffix "${SUFFIX}"
rootdn "${ADMINISTRATOR}"
rootpw "${ADMINISTRATOR_PASSWORD}"
directory ${path('data')}
dbnosync
index objectClass,uid,member eq
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
`;
}
