import { shown } from '../../errors/shown.js';
import { ConformanceFailure } from './conformance-case.js';

/** `what` is the subject of the sentence that a failure says: "expected `what` to be …, got …". */
export function mustBe(what: string, got: unknown, expected: unknown): void {
  if (!areEqual(got, expected))
    throw new ConformanceFailure(`expected ${what} to be ${printed(expected)}, got ${printed(got)}`);
}

/** Only the properties that `expected` names are compared. */
export function mustHave(what: string, got: object | undefined, expected: Readonly<Record<string, unknown>>): void {
  const found = (got ?? {}) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(expected)) mustBe(`${name} of ${what}`, found[name], value);
}

export function mustHold(law: string, holds: boolean): void {
  if (!holds) throw new ConformanceFailure(`expected that ${law}`);
}

export function mustBeBytes(what: string, got: unknown): void {
  if (!isBytes(got)) throw new ConformanceFailure(`expected ${what} a Uint8Array, got ${shown(got)}`);
}

export function mustMatch(what: string, got: unknown, pattern: RegExp): void {
  if (!pattern.test(String(got)))
    throw new ConformanceFailure(`expected ${what} to match ${pattern}, got ${printed(got)}`);
}

export function mustThrow(what: string, run: () => unknown, pattern: RegExp): void {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    return mustMatch(`what ${what} throws`, error, pattern);
  }
  throw new ConformanceFailure(`expected ${what} to throw, and it returned ${printed(result)}`);
}

/** By value: bytes by their content, whatever kind of array holds them; a property that is undefined is as good as none. */
export function areEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (isBytes(a) || isBytes(b)) return isBytes(a) && isBytes(b) && areSameBytes(a, b);
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  if (kind === 'Map' || kind === 'Set') return areEqual([...(a as Set<unknown>)], [...(b as Set<unknown>)]);
  if (kind === 'Date') return (a as Date).getTime() === (b as Date).getTime();
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => areEqual(Reflect.get(a, name), Reflect.get(b, name)));
}

/** Array, Map, Uint8Array, Error and so on. Test frameworks have several of each constructor, so `instanceof` would miss some. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice('[object '.length, -1);

const isBytes = (value: unknown): value is Uint8Array => kindOf(value) === 'Uint8Array';

function areSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at += 1) if (a[at] !== b[at]) return false;
  return true;
}

const MOST_SHOWN = 300;

function printed(value: unknown): string {
  if (value === undefined || typeof value === 'function' || kindOf(value) === 'Error') return String(value);
  const text = JSON.stringify(value, (_name, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    return isBytes(part) ? bytesShown(part) : part;
  });
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

function bytesShown(bytes: Uint8Array): string {
  const first = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0'));
  return `${bytes.byteLength} bytes ${first.join(' ')}${bytes.byteLength > 16 ? ' …' : ''}`;
}
