import { SetupError } from '../errors.ts';
import type { LiveKubelet } from '../platform/index.ts';
import { commandInForce, splitCommandLine } from '../unit-file/index.ts';

/**
 * Whether systemd runs what the files say: arguments are compared one by one; what a specifier stands for is not.
 * @throws {SetupError} when it does not
 */
export function requireLiveCommand(kubelet: LiveKubelet): void {
  const { words } = splitCommandLine(commandInForce(kubelet.files).assignment.value);
  const [live = [], ...others] = kubelet.state.commands;
  const same =
    others.length === 0 &&
    live.length === words.length &&
    words.every((word, index) => word.includes('%') || word === live[index]);
  if (same) return;
  throw new SetupError(
    'refused',
    `systemd runs ${JSON.stringify(live.join(' '))} for ${kubelet.unit}, and its files say something else; nothing is changed`,
  );
}
