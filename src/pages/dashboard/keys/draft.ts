import { bytesOf, bytesOfHex, hexOf, textOf } from './bytes.js';
import { changedLines } from './changed-lines.js';
import { compactJson, isCompact, jsonFault, prettyJson } from './json-text.js';

export type Format = 'Text' | 'JSON' | 'Hex';

export const FORMATS: readonly Format[] = ['Text', 'JSON', 'Hex'];

/** A value as it is shown in a format; null where it cannot be. */
export function shownAs(format: Format, value: Uint8Array): string | null {
  if (format === 'Hex') return hexOf(value);
  const text = textOf(value);
  if (text === null) return null;
  if (format === 'Text') return lineEndOf(text) === null ? null : text.replaceAll('\r\n', '\n');
  return jsonFault(text) === null ? prettyJson(text) : null;
}

/** How the lines of a text end; null where they end in different ways: a text field would make them alike. */
function lineEndOf(text: string): '\n' | '\r\n' | null {
  if (!text.includes('\r')) return '\n';
  return /^(?:[^\r\n]|\r\n)*$/.test(text) ? '\r\n' : null;
}

/** JSON where it is an object or a list, else text, else bytes. */
export function bestFormat(value: Uint8Array): Format {
  const text = textOf(value);
  if (text === null) return 'Hex';
  if (/^\s*[{[]/.test(text) && jsonFault(text) === null) return 'JSON';
  return lineEndOf(text) === null ? 'Hex' : 'Text';
}

export type Encoded =
  | { readonly bytes: Uint8Array; readonly fault: null }
  | { readonly bytes: null; readonly fault: string };

/** The bytes to send for an edited text. JSON goes without the white space that was added for showing it, where it had none before. */
export function encoded(format: Format, text: string, before: Uint8Array | null): Encoded {
  if (format === 'Text') return { bytes: bytesOf(withLineEnds(text, before)), fault: null };
  if (format === 'Hex') {
    const bytes = bytesOfHex(text);
    return bytes === null ? { bytes, fault: 'expected pairs of hexadecimal digits, as 00 ff' } : { bytes, fault: null };
  }
  const fault = jsonFault(text);
  if (fault !== null) return { bytes: null, fault };
  const old = before === null ? null : textOf(before);
  const isSentCompact = old === null || old === '' || isCompact(old);
  return { bytes: bytesOf(isSentCompact ? compactJson(text) : text), fault: null };
}

/** A text field has lines that end with \\n: those of the key's value may have ended with \\r\\n. */
function withLineEnds(text: string, before: Uint8Array | null): string {
  const old = before === null ? null : textOf(before);
  return old !== null && lineEndOf(old) === '\r\n' ? text.replaceAll('\n', '\r\n') : text;
}

export interface Difference {
  readonly lines: ReadonlySet<number>;
  /** `1 line differs`; null where nothing does. */
  readonly text: string | null;
}

export function differenceOf(before: string | null, now: string): Difference {
  const lines = changedLines(before ?? '', now);
  const isSame = before === now;
  return { lines, text: isSame ? null : `${lines.size} ${lines.size === 1 ? 'line differs' : 'lines differ'}` };
}
