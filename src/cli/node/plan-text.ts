import { type Change, type Plan, unifiedDiff } from '../../kubelet/setup/index.ts';

/** A plan for somebody to read. */
export function describePlan(plan: Plan): string {
  const { platform, strategy, backend, changes, copy, reason, record } = plan;
  const header = [
    `platform   ${platform}`,
    `strategy   ${strategy}`,
    `backend    ${backend.type} at ${backend.socket}${backend.chained ? ', the image service that kubelet has now' : ''}`,
    `kubelet    ${reason === undefined ? 'is not restarted' : `is restarted: ${reason}`}`,
    ...(copy ? [`program    ${copy.source} is copied to ${copy.path}`] : []),
  ];
  if (changes.length === 0) return [...header, '', 'No file is changed.'].join('\n');
  return [...header, ...changes.flatMap((change) => ['', describeChange(change, record.configFile)])].join(
    '\n',
  );
}

/** The same for programs. */
export function planSummary({ platform, strategy, backend, changes, copy, restartKubelet, reason }: Plan) {
  return {
    platform,
    strategy,
    backend: { type: backend.type, socket: backend.socket, chained: backend.chained },
    copy: copy?.path,
    changes: changes.map(({ path, phase, before, after }) => ({
      path,
      phase,
      before: before.type,
      after: after.type,
    })),
    restartKubelet,
    reason,
  };
}

function describeChange({ path, before, after }: Change, configFile: string): string {
  // It may hold credentials.
  if (path === configFile)
    return `${path}: ${before.type === 'absent' ? 'is made' : 'is changed'} (contents not shown)`;
  if (after.type === 'folder') return `${path}/: is made`;
  if (after.type === 'link') return `${path}: is a link to ${after.target}`;
  return unifiedDiff(path, textOf(before), textOf(after));
}

function textOf(entry: Change['before']): string | undefined {
  return entry.type === 'file' ? entry.content.toString('utf8') : undefined;
}
