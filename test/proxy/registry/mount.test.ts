import { expect, it, onTestFinished } from 'vitest';
import { memoryUpstream } from './support/memory-upstream.ts';
import { bearer, startRegistry } from './support/start-registry.ts';

const MISSING = `sha256:${'a'.repeat(64)}`;

it.each([
  ['who may push', ['pull', 'push'] as const],
  ['who may not', ['pull'] as const],
])(
  'a mount tells %s nothing of the source: the same answer whether the blob exists or not',
  async (_who, actions) => {
    const upstream = memoryUpstream();
    const blob = upstream.putBlob('secret', Buffer.from('plans'));
    const registry = await startRegistry({
      upstreams: [upstream],
      rules: [{ name: 'own', repositories: ['own'], actions: [...actions] }],
    });
    onTestFinished(() => registry.close());
    const answers = new Set<string>();
    for (const [digest, from] of [
      [blob, 'secret'],
      [MISSING, 'secret'],
      [MISSING, 'nowhere'],
    ]) {
      const url = `${registry.url}/v2/own/blobs/uploads/?mount=${digest}&from=${from}`;
      const answer = await fetch(url, { method: 'POST', headers: bearer() });
      answers.add(`${answer.status} ${answer.headers.get('location')} ${await answer.text()}`);
    }
    expect([...answers]).toHaveLength(1);
  },
);
