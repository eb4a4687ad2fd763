/** Whatever differs by more letters was hardly meant: a guess would lead astray. */
export const MOST_DIFFERENCES = 2;

/** The one of `words` (not empty) that `word` was probably meant to be; undefined where it is near none. */
export function meantBy(word: string, words: readonly string[]): string | undefined {
  const near = closest(word, words);
  // Everything is near everything where words are short.
  return differences(word, near) <= Math.min(MOST_DIFFERENCES, word.length / 3) ? near : undefined;
}

/** The one of `words` (not empty) that differs from `word` in the fewest letters. */
export function closest(word: string, words: readonly string[]): string {
  const distances = words.map((other) => differences(word, other));
  return words[distances.indexOf(Math.min(...distances))] as string;
}

/** How many letters have to be put in, taken out or replaced to make one word of the other. */
export function differences(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      const replaced = (row[column] as number) + Number(letter !== otherLetter);
      next.push(Math.min(replaced, (row[column + 1] as number) + 1, (next[column] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
