const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();
const PREVIEWED_BYTES = 120;
const HEX_IN_A_ROW = 16;
const PREVIEWED_HEX = 8;

export const bytesOf = (text: string): Uint8Array => ENCODER.encode(text);

/** Null where the bytes are no text: no UTF-8, or with control characters. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    const text = STRICT.decode(bytes);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what tells bytes from text
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

/** One line of a value: its text, or its first bytes. */
export function preview(bytes: Uint8Array): string {
  const text = textOf(startOf(bytes, PREVIEWED_BYTES));
  if (text !== null) return text.replace(/\s+/g, ' ');
  return `0x${pairs(bytes.subarray(0, PREVIEWED_HEX))}${bytes.length > PREVIEWED_HEX ? ' …' : ''}`;
}

/** The first bytes, at most so many. Of text a cut may go through a character: its rest is left out. */
export function startOf(bytes: Uint8Array, most: number): Uint8Array {
  if (bytes.length <= most) return bytes;
  const start = bytes.subarray(0, most);
  const whole = withoutCutEnd(start);
  return textOf(start) === null && textOf(whole) !== null ? whole : start;
}

function withoutCutEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, Math.max(0, end - 1));
}

/** Sixteen bytes a line. */
export function hexOf(bytes: Uint8Array): string {
  const rows = Array.from({ length: Math.ceil(bytes.length / HEX_IN_A_ROW) }, (_, at) =>
    pairs(bytes.subarray(at * HEX_IN_A_ROW, (at + 1) * HEX_IN_A_ROW)),
  );
  return rows.join('\n');
}

const pairs = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

/** Null where the text is not pairs of hexadecimal digits. */
export function bytesOfHex(text: string): Uint8Array | null {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 === 1 || !/^[\da-f]*$/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** `206 B`, `3.4 kB`, `256 kB`, `1.2 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 999_500) return `${short(bytes / 1_000)} kB`;
  return `${short(bytes / 1_000_000)} MB`;
}

const short = (value: number): string => value.toFixed(value < 99.95 ? 1 : 0);

export function bytesOfBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
