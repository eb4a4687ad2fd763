/** Above this many comparisons the middle counts as changed as a whole. */
const MOST_COMPARISONS = 250_000;

/** The lines of `now` that are not in `before`, by number from 0. A line that was only taken away counts by the one that took its place. */
export function changedLines(before: string, now: string): ReadonlySet<number> {
  if (before === now) return new Set();
  const old = before.split('\n');
  const lines = now.split('\n');
  let start = 0;
  while (start < old.length && start < lines.length && old[start] === lines[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < lines.length - start && old.at(-1 - end) === lines.at(-1 - end)) end += 1;
  const changed = inMiddle(old.slice(start, old.length - end), lines.slice(start, lines.length - end));
  if (changed.length === 0) return new Set([Math.min(start, lines.length - 1)]);
  return new Set(changed.map((line) => line + start));
}

/** Those that are in no longest common subsequence. */
function inMiddle(old: readonly string[], lines: readonly string[]): readonly number[] {
  if (old.length * lines.length > MOST_COMPARISONS) return lines.map((_, at) => at);
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(lines.length + 1));
  const at = (row: number, column: number): number => common[row]?.[column] ?? 0;
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = lines.length - 1; column >= 0; column -= 1) {
      const best =
        old[row] === lines[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
      (common[row] as Uint32Array)[column] = best;
    }
  }
  const changed: number[] = [];
  let row = 0;
  for (let column = 0; column < lines.length; column += 1) {
    while (row < old.length && old[row] !== lines[column] && at(row + 1, column) === at(row, column)) row += 1;
    if (row < old.length && old[row] === lines[column] && at(row, column) === at(row + 1, column + 1) + 1) row += 1;
    else changed.push(column);
  }
  return changed;
}
