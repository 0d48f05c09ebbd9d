import { expect, it } from 'vitest';
import { serviceUnit } from '../../../../src/kubelet/setup/plan/units.ts';

const settings = {
  program: ['/opt/drp/bin/drp'],
  socket: '/run/drp/image-service.sock',
  configFile: '/etc/drp/image-service.yaml',
  kubeletUnit: 'kubelet.service',
  journalFile: '/var/lib/drp/node/journal.json',
};

it('has a watchdog only where the service can tell that it is well', () => {
  expect(serviceUnit({ ...settings, notifies: true })).toMatch(/^Type=notify\n(?:.+\n)*WatchdogSec=60s$/m);
  const silent = serviceUnit({ ...settings, notifies: false });
  expect(silent).toContain('Type=simple\n');
  expect(silent).not.toContain('Watchdog');
});
