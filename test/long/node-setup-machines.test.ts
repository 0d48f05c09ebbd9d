import { expect, it } from 'vitest';
import { killAtSteps } from '../e2e/node-setup/kill.ts';
import { startNode } from '../e2e/node-setup/node.ts';

const LIMIT_MS = 1_200_000;
const NODES = [
  { kind: 'eks-al2', args: [] },
  { kind: 'eks-al2023', args: [] },
  { kind: 'gke-cos', args: ['--strategy', 'unit'] },
  { kind: 'kubeadm', args: [] },
] as const;

it.each(NODES)(
  'an installation on a real systemd is committed or undone, whichever step it dies in: $kind',
  async ({ kind, args }) => {
    const node = await startNode(kind);
    try {
      await killAtSteps(node, args, (steps) => {
        expect(steps.length).toBeGreaterThan(15);
        return [...steps.keys()];
      });
    } finally {
      await node.close();
    }
  },
  LIMIT_MS,
);
