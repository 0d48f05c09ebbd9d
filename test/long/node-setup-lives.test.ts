import { describeLife } from '../e2e/node-setup/life.ts';

describeLife({ kind: 'eks-al2', strategy: 'drop-in' });
describeLife({ kind: 'kubeadm', strategy: 'drop-in' });
describeLife({ kind: 'eks-al2023', strategy: 'unit', args: ['--strategy', 'unit'] });
