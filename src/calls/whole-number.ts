export interface WholeNumberRange {
  readonly least: number;
  readonly most: number;
}

/** The whole number that `text` writes in decimal digits. Undefined where it writes none, or one outside the range. */
export function parseWholeNumber(text: string, { least, most }: WholeNumberRange): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : undefined;
}
