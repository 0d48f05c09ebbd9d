import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { stringify } from 'yaml';
import {
  attestationNonce,
  formatDocumentProof,
  formatProof,
  newMachineNonce,
} from '../../../src/machine-identity/index.ts';
import { MACHINE } from '../../credentials/azure/support.ts';
import { INSTANCE, MACHINE_ACCOUNT } from '../../credentials/gcp/support.ts';
import {
  createDocumentSigner,
  instanceDocument,
  signedDocument,
  startImds,
} from '../../servers/aws/index.ts';
import { createAttestation, startAzureInstanceMetadata, startEntra } from '../../servers/azure/index.ts';
import { createGoogleIdentity, startGoogleMetadataServer } from '../../servers/google/index.ts';
import { createTemporaryFolder } from '../../support/temporary-folder.ts';
import { run } from '../run-program.ts';

const AUDIENCE = 'docker.example.com';
const SUBSCRIPTION = 'cccccccc-0000-4000-8000-000000000001';
const MACHINE_ID = '02aab8a4-74ef-476e-8182-f6d2ba4166a6';
const NOWHERE = 'http://127.0.0.1:1';

beforeEach(() => {
  // AWS's SDK looks at the environment of the process.
  vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', NOWHERE);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'])
    vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function folderWith(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await createTemporaryFolder('identity');
  onTestFinished(() => folder.close());
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
  return folder.path;
}

async function clouds() {
  const google = await createGoogleIdentity();
  const metadata = await startGoogleMetadataServer(google, { account: MACHINE_ACCOUNT, instance: INSTANCE });
  const entra = await startEntra({ resources: [AUDIENCE] });
  const attestation = await createAttestation();
  const azure = await startAzureInstanceMetadata({
    entra,
    identities: [MACHINE],
    attest: (nonce) =>
      attestation.sign({ nonce, subscriptionId: SUBSCRIPTION, vmId: MACHINE_ID, createdAt: Date.now() }),
  });
  onTestFinished(async () => {
    await Promise.all([metadata.close(), entra.close(), azure.close()]);
  });
  return { google, metadata, entra, attestation, azure };
}

describe('drp identity show', () => {
  it('says what the metadata services vouch for, and never shows the proof', async () => {
    const { metadata, azure } = await clouds();
    const env = { GCE_METADATA_HOST: metadata.host, AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.origin };
    const text = await run(['identity', 'show', '--audience', AUDIENCE], env);
    expect(text.exitCode).toBe(0);
    expect(text.out).toContain("yes  gcp: Google's metadata server");
    expect(text.out).toMatch(/google\.compute_engine\.instance_name +node-1/);
    expect(text.out).toContain("yes  azure: Azure's managed identity");
    expect(text.out).toContain(MACHINE.resourceId);
    expect(text.out).toContain("yes  azure-attested: Azure's attested document");
    expect(text.out).toMatch(new RegExp(`vmId +${MACHINE_ID}`));
    expect(text.out).toContain('no   kubernetes: /var/run/secrets');
    expect(text.out).not.toMatch(/eyJ|drp1\.|MII/);
    const json = await run(['identity', 'show', '--audience', AUDIENCE, '--json'], env);
    expect(JSON.parse(json.out)).toContainEqual(
      expect.objectContaining({
        found: true,
        verifier: 'gcp',
        claims: expect.objectContaining({ aud: AUDIENCE }),
      }),
    );
    expect(json.out).not.toMatch(/eyJ|drp1\.|MII/);
  });

  it('looks at the tokens that the environment and the arguments name', async () => {
    const claims = { iss: 'https://k8s', sub: 'system:serviceaccount:ci:builder', exp: 4_000_000_000 };
    const token = `${base64url({ alg: 'RS256' })}.${base64url(claims)}.c2lnbmF0dXJl`;
    const folder = await folderWith({ one: token, two: 'no token at all' });
    const env = {
      GCE_METADATA_HOST: '127.0.0.1:1',
      AZURE_POD_IDENTITY_AUTHORITY_HOST: NOWHERE,
      AZURE_FEDERATED_TOKEN_FILE: join(folder, 'one'),
    };
    const { out, exitCode } = await run(['identity', 'show', '--token-file', join(folder, 'two')], env);
    expect(exitCode).toBe(0);
    expect(out).toContain(`yes  kubernetes: ${join(folder, 'one')}`);
    expect(out).toContain('system:serviceaccount:ci:builder');
    expect(out).toContain(`no   kubernetes: ${join(folder, 'two')}`);
    expect(out).not.toContain('c2lnbmF0dXJl');
  });

  it('says whose key signs requests to AWS, and never shows the secret', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary-of-a-secret');
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    const env = { GCE_METADATA_HOST: '127.0.0.1:1', AZURE_POD_IDENTITY_AUTHORITY_HOST: NOWHERE };
    const { out, exitCode } = await run(['identity', 'show', '--audience', AUDIENCE], env);
    expect(exitCode).toBe(0);
    expect(out).toContain('yes  aws-sts');
    expect(out).toMatch(/accessKeyId +AKIAIOSFODNN7EXAMPLE/);
    expect(out).toContain('no   aws-iid');
    expect(out).not.toMatch(/canary|signature|drp1/);
  });

  it('says what the identity document of an EC2 instance holds, and never shows the document', async () => {
    const signer = await createDocumentSigner();
    const imds = await startImds({
      region: 'eu-west-1',
      rsa2048: () => signedDocument(instanceDocument(), signer),
    });
    onTestFinished(() => imds.close());
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', imds.url);
    const env = { GCE_METADATA_HOST: '127.0.0.1:1', AZURE_POD_IDENTITY_AUTHORITY_HOST: NOWHERE };
    const { out, exitCode } = await run(['identity', 'show', '--audience', AUDIENCE], env);
    expect(exitCode).toBe(0);
    expect(out).toContain('yes  aws-iid: EC2 instance identity document');
    expect(out).toMatch(/accountId +111122223333/);
    expect(out).toMatch(/instanceId +i-0123456789abcdef0/);
    expect(out).not.toMatch(/drp1|MII|nonce/);
  });

  it('says that there is nothing, and why', async () => {
    const env = { GCE_METADATA_HOST: '127.0.0.1:1', AZURE_POD_IDENTITY_AUTHORITY_HOST: NOWHERE };
    const { out, exitCode } = await run(['identity', 'show'], env);
    expect(exitCode).toBe(1);
    expect(out).toContain('this machine is not on Google Cloud');
    expect(out).toContain('this machine is not on Azure');
  });
});

describe('drp identity verify', () => {
  async function configuration(verifier: object, files: Readonly<Record<string, string>>): Promise<string> {
    const config = {
      upstreams: { registry: { url: 'https://registry.example.net' } },
      routes: [{ upstream: 'registry' }],
      authentication: { verifiers: [verifier] },
    };
    return folderWith({ 'drp.yaml': stringify(config), ...files });
  }

  const verify = (folder: string, name: string, ...more: string[]) =>
    run([
      'identity',
      'verify',
      '--config',
      join(folder, 'drp.yaml'),
      '--verifier',
      name,
      join(folder, 'shown'),
      ...more,
    ]);

  it('goes through the checks of a token', async () => {
    const { google } = await clouds();
    const token = await google.sign(google.claimsFor(MACHINE_ACCOUNT, AUDIENCE, INSTANCE));
    const verifier = {
      name: 'google',
      type: 'gcp',
      audience: AUDIENCE,
      projects: ['acme-images'],
      jwksFile: 'keys.json',
    };
    const folder = await configuration(verifier, { 'keys.json': google.keySet, shown: `${token}\n` });
    const { out, exitCode } = await verify(folder, 'google');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^form +yes +a JWT, RS256, key google-1$/m);
    expect(out).toMatch(/^issuer +yes +https:\/\/accounts\.google\.com$/m);
    expect(out).toMatch(/^audience +yes +docker\.example\.com$/m);
    expect(out).toMatch(/^verdict +yes +it is acme-images\/europe-west1-b\/node-1$/m);
    expect(out).toMatch(/zone +"europe-west1-b"/);
    expect(out).not.toContain(token.split('.')[2]);
  });

  it('says where a token fails, as JSON too', async () => {
    const { google } = await clouds();
    const token = await google.sign({ ...google.claimsFor(MACHINE_ACCOUNT, 'other', INSTANCE), exp: 1 });
    const verifier = { name: 'google', type: 'gcp', audience: AUDIENCE, projects: [], jwksFile: 'keys.json' };
    const folder = await configuration(verifier, { 'keys.json': google.keySet, shown: token });
    const { out, exitCode } = await verify(folder, 'google', '--json');
    expect(exitCode).toBe(1);
    const { steps, outcome } = JSON.parse(out);
    expect(outcome).toBe('refused');
    expect(steps).toEqual([
      expect.objectContaining({ step: 'form', result: 'yes' }),
      expect.objectContaining({ step: 'issuer', result: 'yes' }),
      expect.objectContaining({ step: 'audience', result: 'no', detail: 'other, not docker.example.com' }),
      expect.objectContaining({ step: 'time', result: 'no' }),
      expect.objectContaining({ step: 'verdict', result: 'no' }),
    ]);
    expect(out).not.toContain(token.split('.')[2]);
  });

  it('goes through the checks of a document, and binds nobody', async () => {
    const { attestation } = await clouds();
    const nonce = newMachineNonce(randomBytes);
    const document = await attestation.sign({
      nonce: attestationNonce(nonce, AUDIENCE),
      subscriptionId: SUBSCRIPTION,
      vmId: MACHINE_ID,
      createdAt: Date.now(),
    });
    const verifier = {
      name: 'vms',
      type: 'azure-attested',
      audience: AUDIENCE,
      subscriptions: [SUBSCRIPTION],
      rootsFile: 'roots.pem',
      intermediatesFile: 'intermediates.pem',
    };
    const folder = await configuration(verifier, {
      'roots.pem': attestation.root.toString(),
      'intermediates.pem': attestation.intermediate.toString(),
      shown: formatProof('azure-attested', { document, nonce }).reveal(),
    });
    for (let time = 0; time < 2; time += 1) {
      const { out, exitCode } = await verify(folder, 'vms');
      expect(exitCode).toBe(0);
      expect(out.split('\n').map((line) => /^[a-z]+/.exec(line)?.[0])).toEqual(
        expect.arrayContaining(['signer', 'name', 'chain', 'signature', 'nonce', 'age', 'verdict']),
      );
      expect(out).not.toContain(nonce);
    }
    const foreign = formatProof('azure-attested', { document, nonce: newMachineNonce(randomBytes) }).reveal();
    await writeFile(join(folder, 'shown'), foreign);
    const { out, exitCode } = await verify(folder, 'vms');
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^signature +yes/m);
    expect(out).toMatch(/^document +no +its nonce is another/m);
  });

  it('says of a document of AWS what it holds, and where it fails', async () => {
    const [signer, attacker] = await Promise.all([createDocumentSigner(), createDocumentSigner()]);
    const document = instanceDocument({ pendingTime: new Date().toISOString().replace(/\.\d{3}/, '') });
    const nonce = newMachineNonce(randomBytes);
    const proofBy = (by: typeof signer) =>
      formatDocumentProof({ pkcs7: signedDocument(document, by).replaceAll('\n', ''), nonce }).reveal();
    const verifier = { name: 'instances', type: 'aws-iid', certificates: '.', accounts: ['111122223333'] };
    const folder = await configuration(verifier, {
      'eu-west-1.pem': signer.certificatePem,
      shown: proofBy(signer),
    });
    const good = await verify(folder, 'instances');
    expect(good.exitCode).toBe(0);
    expect(good.out).toMatch(/^account +yes +111122223333$/m);
    expect(good.out).toMatch(/^verdict +yes +it is arn:aws:ec2:eu-west-1:111122223333:instance/m);
    await writeFile(join(folder, 'shown'), proofBy(attacker));
    const forged = await verify(folder, 'instances');
    expect(forged.exitCode).toBe(1);
    expect(forged.out).toMatch(/^verdict +no +no certificate for eu-west-1 fits its signature$/m);
    expect(good.out + forged.out).not.toContain(nonce);
  });

  it('names what is wrong with the arguments', async () => {
    const verifier = { name: 'google', type: 'gcp', audience: AUDIENCE, projects: [] };
    const folder = await configuration(verifier, { shown: 'x' });
    expect(await verify(folder, 'gogle')).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining('did you mean google?'),
    });
    expect(await run(['identity', 'verify', 'file'])).toMatchObject({
      exitCode: 2,
      error: expect.stringContaining('--verifier'),
    });
    const missing = await run([
      'identity',
      'verify',
      '--config',
      join(folder, 'drp.yaml'),
      '--verifier',
      'google',
      join(folder, 'gone'),
    ]);
    expect(missing).toMatchObject({ exitCode: 2, error: expect.stringContaining("can't be read") });
    expect(await run(['identity', '--help'])).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('show'),
    });
  });
});

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
