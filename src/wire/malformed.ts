/** Bytes that no encoder of ours made. Whoever reads from outside turns it into a closed connection or a damaged file. */
export class MalformedBytes extends Error {
  override readonly name = 'MalformedBytes';
}
