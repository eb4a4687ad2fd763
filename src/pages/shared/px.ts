/** A length for a style: Preact gives numbers no unit. */
export const px = (length: number): string => `${length}px`;
