/**
 * A value as an error shows it, after "got": text in quotes, because "50" is no number; of an object only what made it, because
 * values may be secret, and large.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null) return String(value);
  return `an object (${Object.getPrototypeOf(value)?.constructor?.name ?? 'without a prototype'})`;
}
