import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMap, isPair, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { createDocumentSigner } from '../servers/aws/index.ts';
import { createCertificateAuthority } from '../support/certificates.ts';

// Of the password "example".
const BCRYPT_HASH = '$2y$05$hOEKPYo2N2EfhLdzfmdWNeR5HWG2CkkiyuXPLZSRy4Dfc4Vsx8kCe';

// A public key whose private half nobody has.
const KEY_SET = JSON.stringify({
  keys: [
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'TJPyopb747M-RL01QE7-R_EII0j4f5LW8oreOT3WWj4',
      y: 'xrcyuAglEowVQ9VFSFnI6eyGmXzQlKlqX6OHQAvBlnQ',
      kid: 'example',
    },
  ],
});

// Of an account that does not exist; the key is none, and is looked at when it is first used.
const GOOGLE_KEY = JSON.stringify({
  type: 'service_account',
  client_email: 'somebody@example.iam.gserviceaccount.com',
  private_key: 'none',
});

/** What a file is when this key of the configuration names it. Keys take a while to make, so all are made once. */
const CONTENTS = await makeContents();

type Environment = Record<string, string>;

/** A configuration of the documentation, ready to be loaded. */
export interface Prepared {
  readonly file: string;
  readonly environment: Environment;
}

/**
 * Writes a configuration into a folder, with a stand-in beside it for each file that it names, and a value for each
 * variable. Absolute paths become relative, so that nothing outside the folder is looked at.
 */
export async function prepare(text: string, folder: string): Promise<Prepared> {
  const contents: Record<string, string> = {
    ...CONTENTS,
    'file of credentials': JSON.stringify({ auths: loginsFor(text) }),
  };
  const document = parseDocument(text);
  const files = new Map<string, string>();
  visit(document, {
    Pair: (_, { key, value }, ancestors) => {
      if (!isScalar(key) || !isScalar(value) || typeof value.value !== 'string') return;
      const name = String(key.value);
      if (!/file$|^directory$|^layout$|^certificates$/i.test(name)) return;
      const path = value.value.startsWith('/') ? basename(value.value) : value.value;
      value.value = path;
      const content = contents[name === 'file' ? `${name} of ${sectionOf(ancestors)}` : name];
      if (name === 'certificates') files.set(join(path, 'eu-west-1.pem'), content ?? '');
      else if (content !== undefined) files.set(path, content);
      else if (/(?:secret|password|token)file$/i.test(name)) files.set(path, 'stand-in\n');
    },
  });
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  const file = join(folder, 'drp.yaml');
  await writeFile(file, document.toString());
  return { file, environment: variablesOf(text) };
}

async function makeContents(): Promise<Readonly<Record<string, string>>> {
  const authority = await createCertificateAuthority();
  const { certificatePem, keyPem } = await authority.issue(['docker.example.com']);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    certificateFile: certificatePem,
    keyFile: keyPem,
    certificateAuthorityFile: authority.certificatePem,
    jwksFile: KEY_SET,
    certificates: (await createDocumentSigner()).certificatePem,
    privateKeyFile: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    credentialsFile: GOOGLE_KEY,
    'file of verifiers': `somebody:${BCRYPT_HASH}\n`,
  };
}

/** For every registry that the text names. */
function loginsFor(text: string): Record<string, { auth: string }> {
  const hosts = [...text.matchAll(/https?:\/\/([A-Za-z0-9.:-]+)/g)].map(([, host = '']) => host);
  return Object.fromEntries(hosts.map((host) => [host, { auth: 'c3RhbmQ6aW4=' }]));
}

/** The innermost key above that tells what a `file` is. */
function sectionOf(ancestors: readonly unknown[]): string {
  const keys = ancestors.filter(isPair).map(({ key }) => (isScalar(key) ? String(key.value) : ''));
  return keys.findLast((key) => key === 'credentials' || key === 'verifiers') ?? '';
}

function variablesOf(text: string): Environment {
  const names = [...text.matchAll(/\$\{([A-Za-z0-9_]+)\}/g)].map(([, name = '']) => name);
  return Object.fromEntries(names.map((name) => [name, `stand-in-for-${name}`]));
}

/**
 * Makes a fragment whole: routes that are missing, and an upstream for each name that a route leads to.
 * @returns undefined for what is no part of the top level of a configuration
 */
export function completeFragment(text: string, topLevelKeys: readonly string[]): string | undefined {
  const document = parseDocument(text);
  const root = document.contents;
  if (document.errors.length > 0 || !isMap(root)) return undefined;
  const keys = root.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
  if (keys.length === 0 || !keys.every((key) => topLevelKeys.includes(key))) return undefined;
  if (!document.has('routes')) document.set('routes', document.createNode([]));
  const routes = document.get('routes');
  const names = isSeq(routes) ? routes.items.map((route) => (isMap(route) ? route.get('upstream') : '')) : [];
  for (const name of names) {
    if (!document.hasIn(['upstreams', name])) {
      document.setIn(['upstreams', name], document.createNode({ url: 'https://registry.example.net' }));
    }
  }
  if (!document.has('upstreams')) document.set('upstreams', document.createNode({}));
  return document.toString();
}
