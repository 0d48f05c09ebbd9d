import Module from 'node:module';
import { getAsset } from 'node:sea';

/** Node's own class, of which its types leave out that it compiles. */
const CommonJsModule = Module as unknown as new (
  id: string,
) => {
  readonly exports: unknown;
  _compile(text: string, filename: string): void;
};

/** What an asset of the executable exports: a CommonJS module, which is evaluated at each call. */
export function loadAsset(name: string): unknown {
  const program = new CommonJsModule(process.execPath);
  // As `require` of a file does it, so that an import() in it finds files: plugins are such.
  program._compile(getAsset(name, 'utf8'), process.execPath);
  return program.exports;
}
