import { expect, it, onTestFinished } from 'vitest';
import { STATUS } from '../../../../src/kubelet/image-service/errors.ts';
import { createKubelet } from '../support/kubelet.ts';
import { startService } from '../support/service.ts';
import { APP, startFakeEngine } from './fake-engine.ts';

it.each(['ListImages', 'ImageFsInfo'])(
  '%s is the last good one while Docker Engine is away, and counted',
  async (method) => {
    const engine = await startFakeEngine({ images: [APP], info: { DockerRootDir: '/' } });
    const running = await startService({ backend: { type: 'docker', socket: engine.socket } });
    onTestFinished(() => running.close());
    const kubelet = createKubelet(running.socket);
    onTestFinished(() => kubelet.close());
    const before = await kubelet.call(method);
    expect(before).toMatchObject({ status: STATUS.OK, message: '' });
    await engine.close();
    expect((await kubelet.call(method)).body).toEqual(before.body);
    const { values } = await running.metrics.staleAnswers.get();
    // What the file systems hold is kept for 30 s anyway.
    const counted = method === 'ListImages' ? [{ labels: { method, reason: 'away' }, value: 1 }] : [];
    expect(values).toEqual(counted);
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
