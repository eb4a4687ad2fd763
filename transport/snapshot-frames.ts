import type { LogPosition } from '../src/raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../src/raft/numbers-and-ids.js';
import type { FetchProblem } from '../src/seams/snapshot-source.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../src/wire/bytes.js';

/** The subprotocol in which a node fetches a peer's snapshot, at the path of links. */
export const SNAPSHOT_PROTOCOL = 'quorate.snapshot.1';

/** The code with which the one who fetches closes the connection once it has the whole file. */
export const WHOLE = 1_000;

/** What the one who fetches says, once, behind the greeting. */
export interface FetchRequest {
  readonly wanted: LogPosition;
  /** The first byte of the file that it lacks. */
  readonly from: number;
}

/** What it is told. Behind `begins` come the bytes of the file from there on, and nothing else. */
export type FetchAnswer =
  | { readonly kind: 'begins'; readonly bytes: number }
  | { readonly kind: Extract<FetchProblem, 'gone' | 'busy'>; readonly reason: string };

const ANSWERS = ['begins', 'gone', 'busy'] as const satisfies readonly FetchAnswer['kind'][];
const MOST_REASON_BYTES = 512;

export function encodeFetchRequest({ wanted, from }: FetchRequest): Uint8Array {
  return new ByteWriter(24).u64(wanted.index).u64(wanted.term).u64(from).bytes;
}

/** Throws `MalformedBytes`. */
export function decodeFetchRequest(bytes: Uint8Array): FetchRequest {
  const reader = new ByteReader(bytes);
  const wanted = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  const from = reader.u64();
  reader.end();
  return { wanted, from };
}

export function encodeFetchAnswer(answer: FetchAnswer): Uint8Array {
  const kind = ANSWERS.indexOf(answer.kind);
  if (answer.kind === 'begins') return new ByteWriter(9).u8(kind).u64(answer.bytes).bytes;
  const reason = encodeText(answer.reason).subarray(0, MOST_REASON_BYTES);
  return new ByteWriter(5 + reason.byteLength).u8(kind).text(reason).bytes;
}

/** Throws `MalformedBytes`. */
export function decodeFetchAnswer(bytes: Uint8Array): FetchAnswer {
  const reader = new ByteReader(bytes);
  const kind = ANSWERS[reader.u8()];
  if (kind === undefined) throw new MalformedBytes('an answer to a fetch that this version does not know');
  const answer: FetchAnswer =
    kind === 'begins' ? { kind, bytes: reader.u64() } : { kind, reason: reader.text(MOST_REASON_BYTES) };
  reader.end();
  return answer;
}
