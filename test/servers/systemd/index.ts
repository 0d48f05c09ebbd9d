export { type Machine, startMachine } from './machine.ts';
export { type MachineFiles, type NodeKind, nodeFiles } from './nodes.ts';
