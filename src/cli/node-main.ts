import { readFileSync } from 'node:fs';
import Module from 'node:module';
import { getAsset } from 'node:sea';
import { keptCredential } from './credential-provider/kept-credential.ts';
import type { runDrpNode } from './drp-node.ts';

/** The executable for nodes begins here, and has the rest of its program as an asset of this name. */
const PROGRAM_ASSET = 'program';
const STANDARD_INPUT = 0;

/** Node's own class, of which its types leave out that it compiles. */
const CommonJsModule = Module as unknown as new (
  id: string,
) => {
  readonly exports: { readonly runDrpNode: typeof runDrpNode };
  _compile(text: string, filename: string): void;
};

const args = process.argv.slice(2);
const question = args[0] === 'credential-provider' && !process.stdin.isTTY ? readInput() : undefined;
const kept = question === undefined ? undefined : keptCredential(args.slice(1), question, Date.now());
if (kept === undefined) void loadProgram().runDrpNode(args, question);
else process.stdout.write(`${kept}\n`);

function readInput(): string | undefined {
  try {
    return readFileSync(STANDARD_INPUT, 'utf8');
  } catch {
    return undefined;
  }
}

function loadProgram(): { readonly runDrpNode: typeof runDrpNode } {
  const program = new CommonJsModule(process.execPath);
  // As `require` of a file does it, so that an import() in it finds files: plugins are such.
  program._compile(getAsset(PROGRAM_ASSET, 'utf8'), process.execPath);
  return program.exports;
}
