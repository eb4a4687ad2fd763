/** Turns values into bytes and back. `decode(encode(x))` equals x, on every replica and in every later version. */
export interface Codec<Value> {
  encode(value: Value): Uint8Array;
  /** May keep no reference into `bytes`: they are a slice of a network frame or a file's page. */
  decode(bytes: Uint8Array): Value;
}
