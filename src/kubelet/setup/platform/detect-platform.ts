import { basename } from 'node:path/posix';
import type { HostFiles } from '../host/index.ts';
import type { LiveKubelet } from './live-kubelet.ts';

/** Where a node comes from. Nothing dangerous hangs on it: what is done follows from what kubelet runs with. */
export type Platform = 'eks-al2' | 'eks-al2023' | 'gke-cos' | 'gke-ubuntu' | 'kubeadm' | 'plain';

const GKE_KUBELET = '/home/kubernetes/bin/kubelet';

/** Tells the platform from the command that systemd runs, and GKE's two from the name of the system. */
export async function detectPlatform(kubelet: LiveKubelet, files: HostFiles): Promise<Platform> {
  const [command = []] = kubelet.state.commands;
  const uses = (variable: string): boolean => command.some((word) => word === `$${variable}`);
  const dropIns = kubelet.state.dropInPaths.map((path) => basename(path));
  if (command[0] === GKE_KUBELET || kubelet.args[0] === GKE_KUBELET) {
    return (await systemId(files)) === 'cos' ? 'gke-cos' : 'gke-ubuntu';
  }
  if (uses('NODEADM_KUBELET_ARGS')) return 'eks-al2023';
  if (uses('KUBELET_KUBEADM_ARGS')) return 'kubeadm';
  const isAl2 = dropIns.includes('10-kubelet-args.conf') || dropIns.includes('30-kubelet-extra-args.conf');
  return isAl2 && uses('KUBELET_ARGS') ? 'eks-al2' : 'plain';
}

async function systemId(files: HostFiles): Promise<string | undefined> {
  const text = (await files.readText('/etc/os-release')) ?? '';
  return /^ID="?([a-z0-9._-]+)"?$/m.exec(text)?.[1];
}
