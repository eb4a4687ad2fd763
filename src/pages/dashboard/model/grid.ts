/** The horizontal lines of a chart that begins at 0, and where it ends. */
export interface Grid {
  readonly lines: readonly number[];
  readonly top: number;
}

const MOST_LINES = 3;
/** The room above the uppermost line, as a share of the whole height. */
const HEADROOM = 1.1;

/** At most three lines at round values, the last of them above the greatest value. Counts have lines at whole numbers only. */
export function gridOf(greatest: number, isCount: boolean): Grid {
  const step = Math.max(isCount ? 1 : 0, stepFor(Math.max(greatest, 1)));
  const count = Math.max(1, Math.ceil(greatest / step));
  return { lines: Array.from({ length: count }, (_, at) => (at + 1) * step), top: count * step * HEADROOM };
}

/** 1, 2, 2.5 and 5 times a power of ten. */
function stepFor(greatest: number): number {
  const power = 10 ** Math.floor(Math.log10(greatest / MOST_LINES));
  return ([1, 2, 2.5, 5].find((digit) => digit * power * MOST_LINES >= greatest) ?? 10) * power;
}
