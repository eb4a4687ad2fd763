const MOST_CHARACTERS = 80;

/**
 * A value as an error shows it, after "got", in one line: text in quotes, because "50" is no number, and not more than its beginning; of
 * an object only what made it, because values may be secret, and large.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object (${Object.getPrototypeOf(value)?.constructor?.name ?? 'without a prototype'})`;
}
