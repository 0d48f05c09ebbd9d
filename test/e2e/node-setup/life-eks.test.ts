import { describeLife } from './life.ts';

describeLife({ kind: 'eks-al2023', strategy: 'config-dir' });
