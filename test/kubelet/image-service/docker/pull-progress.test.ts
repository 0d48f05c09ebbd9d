import { describe, expect, it } from 'vitest';
import { createPullProgress } from '../../../../src/kubelet/image-service/docker/pull-progress.ts';

const downloading = (id: string, current: number) => ({
  id,
  status: 'Downloading',
  progressDetail: { current, total: 100 },
});

describe('progress', () => {
  it('is what has not been said before of that layer', () => {
    const progress = createPullProgress();
    expect(progress.add(downloading('a', 1))).toBe(true);
    expect(progress.add(downloading('b', 1))).toBe(true);
    expect(progress.add(downloading('a', 1))).toBe(false);
    expect(progress.add(downloading('b', 1))).toBe(false);
    expect(progress.add(downloading('a', 2))).toBe(true);
    expect(progress.add({ id: 'a', status: 'Verifying Checksum' })).toBe(true);
    expect(progress.add({ id: 'a', status: 'Verifying Checksum' })).toBe(false);
    expect(progress.add({ status: 'Digest: sha256:1' })).toBe(true);
  });

  it('may take longer while any layer is unpacked', () => {
    const progress = createPullProgress();
    expect(progress.patienceMs()).toBe(60_000);
    progress.add({ id: 'a', status: 'Extracting', progressDetail: { current: 1 } });
    progress.add(downloading('b', 1));
    expect(progress.patienceMs()).toBe(600_000);
    progress.add({ id: 'a', status: 'Pull complete' });
    expect(progress.patienceMs()).toBe(60_000);
  });
});
