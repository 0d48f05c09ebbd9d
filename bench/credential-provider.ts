import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Measure, median } from './measure.ts';

const EXECUTABLE = 'dist/drp-node';
const ROUNDS = 15;
const ANSWER_LIMIT_MS = 120;
const QUESTION = JSON.stringify({
  apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
  kind: 'CredentialProviderRequest',
  image: 'docker.example.com/team/app',
});

/** From the start of the executable to its whole answer, beside the same start of Node that does nothing. */
export async function measureCredentialProvider(): Promise<Measure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'drp-bench-'));
  const config = join(folder, 'config.yaml');
  const provider = 'provider: { type: static, username: nodes, password: example }';
  try {
    await writeFile(config, `credentials: [{ images: ["docker.example.com/**"], ${provider} }]`);
    const plain = ['credential-provider', '--config', config];
    const keeping = [...plain, '--cache-directory', join(folder, 'kept')];
    const peer = { name: 'node -e 0', value: await startMs(process.execPath, ['-e', '0']) };
    const aim = { limit: ANSWER_LIMIT_MS };
    return [
      {
        name: 'exec plugin, credential kept',
        unit: 'ms',
        ours: await startMs(EXECUTABLE, keeping),
        peers: [peer],
        aim,
      },
      {
        name: 'exec plugin, static credential',
        unit: 'ms',
        ours: await startMs(EXECUTABLE, plain),
        peers: [peer],
        aim,
      },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startMs(program: string, args: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => undefined).end(QUESTION);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}`);
    // The first start fills the caches: the file system's, and ours.
    if (round > 0) times.push(performance.now() - started);
  }
  return median(times);
}
