/** Milliseconds as a sentence has them: `4 ms`, `218 ms`, `8.1 s`, `5 min 12 s`, `3 h 12 min`. */
export function durationOf(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** `n1`, `n1 and n2`, `n1, n2 and n3`. */
export function listOf(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

const NUMBERS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

/** Small numbers as words. */
export const inWords = (value: number): string => NUMBERS[value] ?? String(value);

/** With one full stop at its end. */
export const asSentence = (text: string): string => `${text}.`.replace(/\.\.$/, '.');

export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** Thousands separated: `4,793,266`. */
export const grouped = (value: number): string => GROUPED.format(value);

/** `1 put`, `13 puts`, `1,200 entries`. */
export function countOf(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];
/** From here on a number is rounded to a thousand, which is one of the next unit. */
const A_THOUSAND = 999.5;

/** `812 bytes`, `4.2 kB`, `12 MB`. */
export function sizeOf(bytes: number): string {
  let at = 0;
  let value = bytes;
  for (; value >= A_THOUSAND && at < UNITS.length - 1; at += 1) value /= 1_000;
  return `${at > 0 && value < 9.95 ? value.toFixed(1) : grouped(value)} ${UNITS[at]}`;
}

/** Local time of day: `14:04:02`. */
export function timeOfDay(atMs: number): string {
  const date = new Date(atMs);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
