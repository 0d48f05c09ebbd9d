import { expect, it, onTestFinished } from 'vitest';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { createHeldClock } from '../held-clock.ts';
import { createKubelet } from '../support/kubelet.ts';
import { startService } from '../support/service.ts';
import { APP, startFakeEngine } from './fake-engine.ts';

it.each(['ListImages', 'ImageFsInfo'])(
  '%s is the last good one while Docker Engine is away, whatever is pinned, and counted',
  async (method) => {
    const engine = await startFakeEngine({ images: [APP], info: { DockerRootDir: '/' } });
    const backend = { type: 'docker' as const, socket: engine.socket };
    const clock = createHeldClock();
    const running = await startService({ backend }, clock);
    onTestFinished(() => running.close());
    const kubelet = createKubelet(running.socket);
    onTestFinished(() => kubelet.close());
    const before = await kubelet.call(method);
    expect(before).toMatchObject({ status: STATUS.OK, message: '' });
    await engine.close();
    // So long is kept anyway what the file systems hold.
    clock.advance(30_000);
    expect((await kubelet.call(method)).body).toEqual(before.body);
    running.reload({ backend: { ...backend, pinnedImages: ['docker.example.com/pause'] } });
    expect((await kubelet.call(method)).body).toEqual(before.body);
    const { values } = await running.metrics.staleAnswers.get();
    expect(values).toEqual([{ labels: { backend: 'docker', method, reason: 'away' }, value: 2 }]);
  },
);

it('is not ready while Docker Engine is away', async () => {
  const engine = await startFakeEngine();
  const running = await startService({ backend: { type: 'docker', socket: engine.socket } });
  onTestFinished(() => running.close());
  const { signal } = new AbortController();
  await running.service.probe(signal);
  await engine.close();
  await expect(running.service.probe(signal)).rejects.toThrow("Docker Engine can't be reached");
});
