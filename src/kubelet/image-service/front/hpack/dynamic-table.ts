import { fieldSizeBytes, type HeaderField } from './header-field.ts';

/** The headers that one connection has made known, the latest first. @see RFC 7541, section 2.3.2 */
export class DynamicTable {
  readonly #entries: HeaderField[] = [];
  #sizeBytes = 0;
  #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @param index 0 for the latest */
  at(index: number): HeaderField | undefined {
    return this.#entries[index];
  }

  /** An entry that is larger than the table empties it and is not kept. @see RFC 7541, section 4.4 */
  add(field: HeaderField): void {
    this.#entries.unshift(field);
    this.#sizeBytes += fieldSizeBytes(field);
    this.#evict();
  }

  resize(limitBytes: number): void {
    this.#limitBytes = limitBytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#sizeBytes > this.#limitBytes) {
      const oldest = this.#entries.pop();
      if (!oldest) break;
      this.#sizeBytes -= fieldSizeBytes(oldest);
    }
  }
}
