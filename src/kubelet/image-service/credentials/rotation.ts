/** Things of which one after the other is tried, what did well last first. */
export class Rotation<T> {
  #inTurn: readonly T[];

  /** @param all in the order of preference */
  constructor(all: readonly T[]) {
    this.#inTurn = all;
  }

  get inTurn(): readonly T[] {
    return this.#inTurn;
  }

  /** Puts one that did not do behind all others. */
  rest(one: T): void {
    this.#inTurn = [...this.#inTurn.filter((other) => other !== one), one];
  }
}
