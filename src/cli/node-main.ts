import { setFlagsFromString } from 'node:v8';
import { readQuestionSync } from '../kubelet/credential-provider/index.ts';
import { loadAsset } from './asset.ts';
import { keptCredential } from './credential-provider/kept-credential.ts';
import type { runDrpNode } from './drp-node.ts';

/** The executable for nodes begins here, and has the rest of its program as an asset of this name. */
const PROGRAM_ASSET = 'program';
const STANDARD_INPUT = 0;

const args = process.argv.slice(2);
// It stays, so it takes its time and little memory; the other commands end soon.
if (args[0] === 'image-service') setFlagsFromString('--optimize-for-size');
const question = args[0] === 'credential-provider' && !process.stdin.isTTY ? readInput() : undefined;
const kept = question === undefined ? undefined : keptCredential(args.slice(1), question, Date.now());
if (kept === undefined) void loadProgram().runDrpNode(args, question);
else process.stdout.write(`${kept}\n`);

function readInput(): string | undefined {
  try {
    return readQuestionSync(STANDARD_INPUT);
  } catch {
    return undefined;
  }
}

function loadProgram(): { readonly runDrpNode: typeof runDrpNode } {
  return loadAsset(PROGRAM_ASSET) as { readonly runDrpNode: typeof runDrpNode };
}
