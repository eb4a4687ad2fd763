/** Sorts behind every other character, in UTF-8's order of bytes too. */
const LAST_CHARACTER = '\u{10FFFF}';
const DELIMITER = '/';
/** Most prefixes that are looked up; there may be more. */
export const MOST_PREFIXES = 60;

/** The first key with a prefix that comes after another key; null where there is none. Rejects where that cannot be read. */
export type FirstKey = (prefix: string, after: string | null) => Promise<string | null>;

/**
 * Finds the prefixes below a prefix that end with the next slash ("folders"). The store has an order and no folders: after each
 * folder found, the first key behind all of its keys is asked for.
 */
export async function prefixesUnder(prefix: string, firstKey: FirstKey): Promise<readonly string[]> {
  const found: string[] = [];
  let after: string | null = null;
  // A key that goes on without a slash is no folder, and is stepped over; as many of them as folders, so that this ends soon.
  for (let steps = 0; steps < 2 * MOST_PREFIXES && found.length < MOST_PREFIXES; steps += 1) {
    const key: string | null = await firstKey(prefix, after);
    if (key === null) break;
    const slash = key.indexOf(DELIMITER, prefix.length);
    if (slash === -1) {
      after = key;
      continue;
    }
    const folder = key.slice(0, slash + 1);
    found.push(folder);
    after = folder + LAST_CHARACTER;
  }
  return found;
}

/** `orders/2026/` has `` and `orders/` above it. */
export function prefixesAbove(prefix: string): readonly string[] {
  const slashes = [...prefix.matchAll(/\//g)].map(({ index }) => index + 1);
  return ['', ...slashes.map((end) => prefix.slice(0, end))].filter((above) => above !== prefix);
}
