import type { Install } from '../src/raft/messages.js';
import { asIndex, asTerm } from '../src/raft/numbers-and-ids.js';
import type { ByteReader, ByteWriter } from '../src/wire/bytes.js';
import { MalformedBytes } from '../src/wire/bytes.js';

/** Term, index, term and size, u64 each. */
export const INSTALL_BYTES = 4 * 8;

export function encodeInstall(writer: ByteWriter, { term, snapshot, bytes }: Install): Uint8Array {
  return writer.u64(term).u64(snapshot.index).u64(snapshot.term).u64(bytes).bytes;
}

/** Throws `MalformedBytes`. */
export function decodeInstall(reader: ByteReader): Install {
  const term = asTerm(reader.u64());
  const snapshot = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  if (snapshot.term > term) throw new MalformedBytes('a snapshot of a later term than its leader has');
  return { kind: 'install', term, snapshot, bytes: reader.u64() };
}
