import { describe, it } from 'vitest';
import {
  killBeforeReboot,
  killBrokenUpgrade,
  killEverywhere,
  killSwitch,
  killUndo,
  killUninstall,
  killUpgrade,
  PLATFORMS,
} from '../kubelet/setup/kill-matrix.ts';

const LIMIT_MS = 600_000;

describe.each(PLATFORMS)(
  'a killed installer leaves a node that is committed or as it was: $kind',
  (platform) => {
    it.each(['before', 'half', 'after'] as const)(
      '%s each change',
      (when) => killEverywhere(platform, when),
      LIMIT_MS,
    );
  },
);

it(
  'a killed uninstallation, undoing, upgrade or change of strategy is brought to an end: at each change',
  async () => {
    await killUninstall();
    await killUndo();
    await killUpgrade();
    await killBrokenUpgrade();
    await killBeforeReboot();
    await killSwitch('config-dir', 'drop-in');
    await killSwitch('unit', 'config-dir');
  },
  LIMIT_MS,
);
