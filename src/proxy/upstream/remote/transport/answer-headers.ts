/** The headers of an answer; asked for by name, in lower case, and never passed on as a whole. */
export class AnswerHeaders {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** The value; undefined also where a header came twice with different values, because nobody can tell which holds. */
  get(name: string): string | undefined {
    const values = this.#values.get(name) ?? [];
    return values.every((value) => value === values[0]) ? values[0] : undefined;
  }

  /** Every value, for headers that may come several times. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}
