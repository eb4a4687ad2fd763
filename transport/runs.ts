import type { ByteReader, ByteWriter } from '../src/wire/bytes.js';
import { MalformedBytes } from '../src/wire/bytes.js';

/** Size of a list of byte strings in a frame. */
export function runsBytes(runs: readonly Uint8Array[]): number {
  return runs.reduce((sum, run) => sum + 4 + run.byteLength, 4);
}

/** Writes a list of byte strings as the last of a frame, and returns the whole. */
export function encodeRuns(writer: ByteWriter, runs: readonly Uint8Array[]): Uint8Array {
  writer.u32(runs.length);
  for (const run of runs) writer.text(run);
  return writer.bytes;
}

export function decodeRuns(reader: ByteReader): Uint8Array[] {
  const count = reader.u32();
  if (count * 4 > reader.left) throw new MalformedBytes(`${count} runs cannot be in so few bytes`);
  const runs: Uint8Array[] = [];
  for (let at = 0; at < count; at += 1) runs.push(reader.run(reader.u32()));
  return runs;
}
