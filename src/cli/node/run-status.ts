import { type NodeStatus, nodeStatus, type Verdict } from '../../kubelet/setup/index.ts';
import { EXIT } from '../errors.ts';
import { columns, paint, type Terminal } from '../terminal.ts';
import type { NodeStatusFlags } from './flags.ts';
import { openNode } from './open-node.ts';
import { printResult } from './reporter.ts';

const MEANING: Readonly<Record<Verdict, string>> = {
  'in-use': 'kubelet uses the image service',
  bypassed: 'installed, but kubelet was started without: put the service right, then drp node install',
  changed: 'installed, but files were changed since: drp node install',
  unhealthy: 'something is not well',
  unfinished: 'an installation did not end: drp node rollback',
  absent: 'not installed',
};

/** Runs `drp node status`. */
export async function runStatus(flags: NodeStatusFlags, terminal: Terminal): Promise<void> {
  await using node = await openNode(flags, terminal, () => undefined);
  const status = await nodeStatus(flags.kubeletUnit, flags.socket, node.setup);
  printResult(terminal, flags.json, { ...status }, describe(status, terminal));
  terminal.setExitCode(status.verdict === 'in-use' ? EXIT.ok : EXIT.failed);
}

function describe(status: NodeStatus, terminal: Terminal): string {
  const { verdict, platform, kubelet, service, strategy, changedFiles, unfinished } = status;
  const health = kubelet.healthy ? 'well' : 'not well';
  const endpoint =
    kubelet.source === 'unknown'
      ? "can't be told: what it reads was changed since it was started"
      : `${kubelet.imageServiceEndpoint ?? 'no image service'} (${kubelet.source})`;
  const rows = [
    ['verdict', paint(terminal, verdict === 'in-use' ? 'green' : 'red', `${verdict}: ${MEANING[verdict]}`)],
    ['platform', platform],
    ['kubelet', `${kubelet.unit}, process ${kubelet.pid || 'none'}, ${health}`],
    ['it uses', endpoint],
    ['service', service.answers ? 'answers' : `does not answer: ${service.problem}`],
    ['strategy', strategy ?? 'not installed'],
    ...changedFiles.map((path) => ['changed', path]),
    ...(unfinished
      ? [['unfinished', unfinished.hostWillUndo ? 'the host will undo it' : 'nobody will undo it']]
      : []),
  ];
  return columns(rows).join('\n');
}
