import type { NodeReport } from '../report/node-report.js';

type Log = NodeReport['log'];

/** How many entries a cell of the bars stands for: 1, 2 or 5 times a power of ten, so that all marks of the logs fit into `cells`. */
export function entriesPerCell(logs: readonly Log[], cells: number): number {
  const last = newestIn(logs);
  const least = Math.min(last, ...logs.map(({ appliedIndex, durableIndex }) => Math.min(appliedIndex, durableIndex)));
  const span = cells < 2 ? 0 : last - least;
  for (let power = 1; ; power *= 10) {
    for (const step of [1, 2, 5]) if (span <= step * power * (cells - 1)) return step * power;
  }
}

/** A log beside the others: aligned by index, the newest entry of all at the right. Applied, on disk, not on disk, missing. */
export function barOf(
  { firstIndex, lastIndex, durableIndex, appliedIndex }: Log,
  newest: number,
  perCell: number,
  cells: number,
): string {
  return Array.from({ length: cells }, (_, at) => {
    const last = newest - (cells - 1 - at) * perCell;
    if (last < firstIndex) return ' ';
    if (last <= appliedIndex) return '█';
    if (last <= durableIndex) return '▒';
    return last <= lastIndex ? '░' : '·';
  }).join('');
}

export const newestIn = (logs: readonly Log[]): number => Math.max(0, ...logs.map(({ lastIndex }) => lastIndex));
