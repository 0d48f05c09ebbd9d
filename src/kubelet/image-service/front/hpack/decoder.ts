import { BlockReader } from './block-reader.ts';
import { DynamicTable } from './dynamic-table.ts';
import { HpackError } from './errors.ts';
import { fieldSizeBytes, type HeaderField } from './header-field.ts';
import { STATIC_TABLE } from './static-table.ts';

export interface DecoderOptions {
  /** SETTINGS_HEADER_TABLE_SIZE of the side that decodes: more the other side may not use. */
  readonly tableSizeBytes: number;
  /** Of all headers of one block together. @see RFC 9113, section 6.5.2 */
  readonly listLimitBytes: number;
}

/** Decodes the header blocks of one connection, in the order in which they came. */
export interface HpackDecoder {
  /** @throws {HpackError} after which the connection can't be used any longer */
  decode(block: Buffer): HeaderField[];
}

/** @see RFC 7541, section 6 */
export function createHpackDecoder({ tableSizeBytes, listLimitBytes }: DecoderOptions): HpackDecoder {
  const table = new DynamicTable(tableSizeBytes);

  function entry(index: number): HeaderField {
    const field = STATIC_TABLE[index - 1] ?? table.at(index - 1 - STATIC_TABLE.length);
    if (index === 0 || !field)
      throw new HpackError('compression', 'a header refers to no entry of the table');
    return field;
  }

  function literal(
    reader: BlockReader,
    prefixBits: number,
    neverIndexed: boolean,
    limit: number,
  ): HeaderField {
    const index = reader.integer(prefixBits);
    const name = index === 0 ? reader.string(limit) : entry(index).name;
    return { name, value: reader.string(limit), neverIndexed };
  }

  function resize(reader: BlockReader): void {
    const size = reader.integer(5);
    if (size > tableSizeBytes) throw new HpackError('compression', 'a table larger than was agreed on');
    table.resize(size);
  }

  return {
    decode(block) {
      const reader = new BlockReader(block);
      const fields: HeaderField[] = [];
      let left = listLimitBytes;
      while (!reader.atEnd) {
        const first = reader.peek();
        if ((first & 0xe0) === 0x20) {
          if (fields.length > 0) throw new HpackError('compression', 'a new table size after a header');
          resize(reader);
          continue;
        }
        let field: HeaderField;
        if (first >= 0x80) field = { ...entry(reader.integer(7)), neverIndexed: false };
        else if (first >= 0x40) {
          field = literal(reader, 6, false, left);
          table.add(field);
        } else field = literal(reader, 4, first >= 0x10, left);
        left -= fieldSizeBytes(field);
        if (left < 0) throw new HpackError('too-large', 'the headers are too large');
        fields.push(field);
      }
      return fields;
    },
  };
}
