import type { Divergence, HaltNotice, HashReply, HashRequest, PeerMessage } from '../src/raft/messages.js';
import { asIndex, asTerm } from '../src/raft/numbers-and-ids.js';
import type { ByteReader, ByteWriter } from '../src/wire/bytes.js';
import { encodeText } from '../src/wire/bytes.js';

/** Messages about whether the replicas' states are equal, and that a node halts. */
export type StateMessage = HashRequest | HashReply | Divergence | HaltNotice;

const MOST_HASH_BYTES = 128;
const MOST_REASON_BYTES = 4_096;

/** `begin` writes what all messages begin with, into so many bytes and the message's own. */
export function encodeStateMessage(
  message: StateMessage,
  begin: (message: PeerMessage, bodyBytes: number) => ByteWriter,
): Uint8Array {
  if (message.kind === 'halt-notice') {
    const reason = cut(message.reason, MOST_REASON_BYTES);
    return begin(message, 4 + reason.byteLength).text(reason).bytes;
  }
  const text = textOf(message);
  const writer = begin(message, 8 + 8 + (text === undefined ? 0 : 4 + text.byteLength))
    .u64(message.term)
    .u64(message.index);
  return text === undefined ? writer.bytes : writer.text(text).bytes;
}

export function decodeStateMessage(kind: StateMessage['kind'], reader: ByteReader): StateMessage {
  if (kind === 'halt-notice') return { kind, reason: reader.text(MOST_REASON_BYTES) };
  const [term, index] = [asTerm(reader.u64()), asIndex(reader.u64())];
  switch (kind) {
    case 'hash-request':
      return { kind, term, index };
    case 'hash-reply':
      return { kind, term, index, hash: reader.text(MOST_HASH_BYTES) };
    case 'divergence':
      return { kind, term, index, reason: reader.text(MOST_REASON_BYTES) };
  }
}

function textOf(message: Exclude<StateMessage, HaltNotice>): Uint8Array | undefined {
  switch (message.kind) {
    case 'hash-request':
      return undefined;
    case 'hash-reply':
      return cut(message.hash, MOST_HASH_BYTES);
    case 'divergence':
      return cut(message.reason, MOST_REASON_BYTES);
  }
}

/** A text as UTF-8, shortened where it is too long: a character has three bytes at the most for each unit of a string. */
function cut(text: string, most: number): Uint8Array {
  const bytes = encodeText(text);
  return bytes.byteLength <= most ? bytes : encodeText(text.slice(0, Math.floor(most / 3)));
}
