const BLOCK_BYTES = 512;

/** One regular file of an archive, owned by root. */
export interface TarFile {
  /** At most 100 bytes, without a leading slash. */
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/**
 * An archive with the same bytes for the same files on every machine.
 * @see POSIX.1-2017, pax, "ustar Interchange Format"
 */
export function tarArchive(files: readonly TarFile[]): Buffer {
  const parts = files.flatMap((file) => [header(file), file.content, padding(file.content.length)]);
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header({ name, mode, content }: TarFile): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, '0'), offset, 'latin1');
  };
  block.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8); // user
  octal(0, 116, 8); // group
  octal(content.length, 124, 12);
  octal(0, 136, 12); // time of change
  block.fill(' ', 148, 156); // the checksum counts as blanks
  block.write('0', 156); // regular file
  block.write('ustar\x0000', 257, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (length % BLOCK_BYTES)) % BLOCK_BYTES);
}
