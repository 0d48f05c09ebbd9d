import { describeLife } from './life.ts';

// This and AL2023 have both ways in which the guard tells kubelet; test/long has the other platforms.
describeLife({ kind: 'gke-cos', strategy: 'unit', args: ['--strategy', 'unit'] });
