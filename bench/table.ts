import type { Measure } from './measure.ts';

const HEADER = ['measure', 'unit', 'ours', 'peer', "peer's", 'ours / peer', 'aim'];

/** A table with one line for each measure and peer. */
export function formatTable(measures: readonly Measure[]): string {
  const rows = [HEADER, ...measures.flatMap(rowsOf)];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Whether ours reaches its aim; undefined where there is none. */
export function reachesAim({ ours, peers, aim }: Measure): boolean | undefined {
  if (!aim) return undefined;
  if ('limit' in aim) return ours <= aim.limit;
  const peer = peers.find(({ name }) => name === aim.peer);
  if (!peer) return undefined;
  const ratio = ours / peer.value;
  return aim.atMost ? ratio <= aim.ratio : ratio >= aim.ratio;
}

function rowsOf(measure: Measure): string[][] {
  const { name, unit, ours, peers } = measure;
  if (peers.length === 0)
    return [[name, unit, formatNumber(ours), '', '', '', formatAim(measure, undefined)]];
  return peers.map((peer) => {
    const figures = [
      formatNumber(ours),
      peer.name,
      formatNumber(peer.value),
      formatNumber(ours / peer.value),
    ];
    return [name, unit, ...figures, formatAim(measure, peer.name)];
  });
}

function formatAim(measure: Measure, peer: string | undefined): string {
  const { aim, peers } = measure;
  if (!aim) return '';
  const verdict = reachesAim(measure) ? 'reached' : 'MISSED';
  // A limit concerns no peer: it stands on the measure's first line.
  if ('limit' in aim) return peers[0]?.name === peer ? `ours ≤ ${aim.limit}: ${verdict}` : '';
  if (aim.peer !== peer) return '';
  return `${aim.atMost ? '≤' : '≥'} ${formatNumber(aim.ratio)}: ${verdict}`;
}

function formatNumber(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
