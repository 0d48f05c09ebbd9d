const MAXIMUM_PATTERN_LENGTH = 512;

/** Whether a text can be a pattern for {@link matchesPattern}. */
export function isPattern(text: string): boolean {
  return text !== '' && text.length <= MAXIMUM_PATTERN_LENGTH && !text.includes('***');
}

/**
 * Whether a whole text is what a pattern means: `*` is any number of characters within a segment, `**` any number of
 * any characters, `/` included. The time grows with the product of both lengths at the most.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  const steps = pattern.match(/\*\*|./gsu) ?? [];
  const characters = [...text];
  // reachable[i]: the steps so far can have taken the first i characters.
  let reachable = characters.map(() => false);
  reachable.unshift(true);
  for (const step of steps) {
    const next: boolean[] = [];
    for (let taken = 0; taken <= characters.length; taken += 1) {
      const last = characters[taken - 1];
      if (step === '**' || step === '*') {
        const stretches = next[taken - 1] === true && (step === '**' || last !== '/');
        next.push(reachable[taken] === true || stretches);
      } else {
        next.push(last === step && reachable[taken - 1] === true);
      }
    }
    reachable = next;
  }
  return reachable[characters.length] === true;
}
