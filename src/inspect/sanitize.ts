/** Reduces a value to what viewers may see: data without functions, actors, bytes and cycles, and at most `depth` levels of it. */
export function sanitize(value: unknown, depth = 6, seen: readonly object[] = []): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'string') return shortened(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (seen.includes(value)) return '(again)';
  if (depth === 0) return '…';
  const around = [...seen, value];
  const inner = (item: unknown): unknown => sanitize(item, depth - 1, around);
  if (Array.isArray(value)) return shorten(value).map(inner);
  if (value instanceof Map || value instanceof Set) return { size: value.size };
  if (isActor(value)) return { actor: String(value.id) };
  if ('toJSON' in value && typeof value.toJSON === 'function') return inner(value.toJSON());
  if (!isPlain(value)) return `(${value.constructor?.name ?? 'object'})`;
  return Object.fromEntries(fewerOf(Object.entries(value)).map(([key, item]) => [key, inner(item)]));
}

/** An entry of a log has a session id, too. */
function isActor(value: object): value is { readonly id: unknown } {
  return 'sessionId' in value && 'send' in value && typeof value.send === 'function';
}

const MOST_ITEMS = 20;
const MOST_KEYS = 100;
const MOST_CHARACTERS = 1_000;

function fewerOf(entries: readonly [string, unknown][]): readonly (readonly [string, unknown])[] {
  if (entries.length <= MOST_KEYS) return entries;
  return [...entries.slice(0, MOST_KEYS), ['…', `${entries.length - MOST_KEYS} more`]];
}

function shortened(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)}… ${text.length - MOST_CHARACTERS} more characters`;
}

function shorten(items: readonly unknown[]): readonly unknown[] {
  if (items.length <= MOST_ITEMS) return items;
  return [...items.slice(0, MOST_ITEMS), `… ${items.length - MOST_ITEMS} more`];
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}
