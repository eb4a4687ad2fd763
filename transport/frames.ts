import type {
  Append,
  AppendReply,
  Behind,
  PeerMessage,
  ProposeReply,
  ProposeRequest,
  ReadReply,
  ReadRequest,
  VoteReply,
  VoteRequest,
} from '../src/raft/messages.js';
import { asIndex, asReadRound, asTerm, NO_DEADLINE_MS, problemWithId } from '../src/raft/numbers-and-ids.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../src/wire/bytes.js';
import { EntryEncoder, encodedEntriesBytes } from '../src/wire/records.js';
import type { ScratchBuffer } from '../src/wire/scratch-buffer.js';
import { decodeInstall, encodeInstall, INSTALL_BYTES } from './install-frame.js';
import { decodeRuns, encodeRuns, runsBytes } from './runs.js';
import { decodeStateMessage, encodeStateMessage } from './state-frames.js';

const TYPES = [
  'vote-request',
  'vote-reply',
  'append',
  'append-reply',
  'propose-request',
  'propose-reply',
  'read-request',
  'read-reply',
  'hash-request',
  'hash-reply',
  'divergence',
  'halt-notice',
  'install',
] as const satisfies readonly PeerMessage['kind'][];

/** Type u8, group u32 (reserved, 0). */
const HEADER_BYTES = 5;
const MOST_ID_BYTES = 64;

/** One message as the bytes of one frame, in one pass over exactly as many bytes as it needs. Those of an append may lie in `scratch`. */
export function encodeMessage(
  message: PeerMessage,
  entryEncoder = new EntryEncoder(),
  scratch?: ScratchBuffer,
): Uint8Array {
  switch (message.kind) {
    case 'vote-request':
      return encodeVoteRequest(message);
    case 'vote-reply':
      return begin(message, 8 + 2)
        .u64(message.term)
        .u8(Number(message.granted))
        .u8(Number(message.preVote)).bytes;
    case 'append':
      return encodeAppend(message, entryEncoder, scratch);
    case 'append-reply':
      return encodeAppendReply(message);
    case 'propose-request':
      return encodeProposeRequest(message);
    case 'propose-reply':
      return encodeProposeReply(message);
    case 'read-request':
      return encodeReadRequest(message);
    case 'read-reply':
      return begin(message, 8 + 1 + 8)
        .u64(message.requestId)
        .u8(Number(message.readIndex !== null))
        .u64(message.readIndex ?? 0).bytes;
    case 'hash-request':
    case 'hash-reply':
    case 'divergence':
    case 'halt-notice':
      return encodeStateMessage(message, begin);
    case 'install':
      return encodeInstall(begin(message, INSTALL_BYTES), message);
  }
}

/**
 * The message in a frame's bytes. Commands and entries of it are views of the frame, or of a copy of it, so that a small
 * message never pins a buffer of more than twice its size that the socket read it into. Throws `MalformedBytes`, and nothing else.
 */
export function decodeMessage(bytes: Uint8Array, entryEncoder = new EntryEncoder()): PeerMessage {
  const reader = new ByteReader(keepsBytes(bytes) && isSmallPart(bytes) ? new Uint8Array(bytes) : bytes);
  const kind = TYPES[reader.u8()];
  if (kind === undefined) throw new MalformedBytes('a message of a type that this version does not know');
  if (reader.u32() !== 0) throw new MalformedBytes('a message for another group');
  const message = decodeBody(kind, reader, entryEncoder);
  reader.end();
  return message;
}

function keepsBytes(bytes: Uint8Array): boolean {
  const kind = TYPES[bytes[0] ?? 0];
  return kind === 'append' || kind === 'propose-request' || kind === 'propose-reply';
}

const isSmallPart = ({ byteLength, buffer }: Uint8Array): boolean => byteLength * 2 < buffer.byteLength;

function decodeBody(kind: PeerMessage['kind'], reader: ByteReader, entryEncoder: EntryEncoder): PeerMessage {
  switch (kind) {
    case 'vote-request':
      return decodeVoteRequest(reader);
    case 'vote-reply':
      return decodeVoteReply(reader);
    case 'append':
      return decodeAppend(reader, entryEncoder);
    case 'append-reply':
      return decodeAppendReply(reader);
    case 'propose-request':
      return decodeProposeRequest(reader);
    case 'propose-reply':
      return decodeProposeReply(reader);
    case 'read-request':
      return decodeReadRequest(reader);
    case 'read-reply':
      return decodeReadReply(reader);
    case 'hash-request':
    case 'hash-reply':
    case 'divergence':
    case 'halt-notice':
      return decodeStateMessage(kind, reader);
    case 'install':
      return decodeInstall(reader);
  }
}

function begin(message: PeerMessage, bodyBytes: number, scratch?: ScratchBuffer): ByteWriter {
  const size = HEADER_BYTES + bodyBytes;
  return new ByteWriter(size, scratch?.take(size)).u8(TYPES.indexOf(message.kind)).u32(0);
}

/** Only a pre-vote's request has its sender's present term behind the rest: in a vote's it is `term`. */
function encodeVoteRequest(message: VoteRequest): Uint8Array {
  const { term, presentTerm, last, preVote, transfer } = message;
  const writer = begin(message, 8 + 16 + 2 + (preVote ? 8 : 0))
    .u64(term)
    .u64(last.index)
    .u64(last.term)
    .u8(Number(preVote))
    .u8(Number(transfer));
  return preVote ? writer.u64(presentTerm).bytes : writer.bytes;
}

function decodeVoteRequest(reader: ByteReader): VoteRequest {
  const term = asTerm(reader.u64());
  const last = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  const [preVote, transfer] = [reader.boolean(), reader.boolean()];
  const presentTerm = preVote ? asTerm(reader.u64()) : term;
  if (last.term > presentTerm) throw new MalformedBytes('a candidate whose log is of a later term than its own');
  if (preVote && presentTerm >= term) throw new MalformedBytes('a pre-vote for a term that its sender has already');
  return { kind: 'vote-request', term, presentTerm, last, preVote, transfer };
}

function decodeVoteReply(reader: ByteReader): VoteReply {
  return { kind: 'vote-reply', term: asTerm(reader.u64()), granted: reader.boolean(), preVote: reader.boolean() };
}

function encodeAppend(append: Append, entryEncoder: EntryEncoder, scratch?: ScratchBuffer): Uint8Array {
  const { term, previous, entries, commitIndex, readRound } = append;
  const writer = begin(append, 8 + 16 + 8 + 8 + 4 + encodedEntriesBytes(entries), scratch)
    .u64(term)
    .u64(previous.index)
    .u64(previous.term)
    .u64(commitIndex)
    .u64(readRound)
    .u32(entries.length);
  entryEncoder.write(writer, entries);
  return writer.bytes;
}

function decodeAppend(reader: ByteReader, entryEncoder: EntryEncoder): Append {
  const term = asTerm(reader.u64());
  const previous = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  const commitIndex = asIndex(reader.u64());
  const readRound = asReadRound(reader.u64());
  const entries = entryEncoder.read(reader, reader.u32());
  let before = { index: previous.index as number, term: previous.term as number };
  for (const entry of entries) {
    const follows = entry.index === before.index + 1 && entry.term >= before.term && entry.term <= term;
    if (!follows) throw new MalformedBytes(`entry ${entry.index} of term ${entry.term} cannot follow ${before.index}`);
    before = entry;
  }
  return { kind: 'append', term, previous, entries, commitIndex, readRound };
}

function encodeAppendReply(reply: AppendReply): Uint8Array {
  const writer = begin(reply, 8 + 1 + 8 + 8 + (reply.accepted ? 0 : 16))
    .u64(reply.term)
    .u8(Number(reply.accepted))
    .u64(reply.readRound);
  if (reply.accepted) return writer.u64(reply.matchIndex).bytes;
  return writer.u64(reply.rejectedIndex).u64(reply.lastPossibleMatch.index).u64(reply.lastPossibleMatch.term).bytes;
}

function decodeAppendReply(reader: ByteReader): AppendReply {
  const term = asTerm(reader.u64());
  const accepted = reader.boolean();
  const readRound = asReadRound(reader.u64());
  const index = asIndex(reader.u64());
  if (accepted) return { kind: 'append-reply', term, accepted, matchIndex: index, readRound };
  const lastPossibleMatch = { index: asIndex(reader.u64()), term: asTerm(reader.u64()) };
  return { kind: 'append-reply', term, accepted, rejectedIndex: index, lastPossibleMatch, readRound };
}

function encodeProposeRequest(request: ProposeRequest): Uint8Array {
  const { requestId, remainingMs, commands } = request;
  const writer = begin(request, 8 + 4 + runsBytes(commands))
    .u64(requestId)
    .u32(Math.min(NO_DEADLINE_MS, Math.max(0, Math.ceil(remainingMs))));
  return encodeRuns(writer, commands);
}

function decodeProposeRequest(reader: ByteReader): ProposeRequest {
  const [requestId, remainingMs] = [reader.u64(), reader.u32()];
  return { kind: 'propose-request', requestId, remainingMs, commands: decodeRuns(reader) };
}

function encodeProposeReply(reply: ProposeReply): Uint8Array {
  const { outcome } = reply;
  switch (outcome.kind) {
    case 'results': {
      const writer = begin(reply, 8 + 1 + runsBytes(outcome.results))
        .u64(reply.requestId)
        .u8(0);
      return encodeRuns(writer, outcome.results);
    }
    case 'refused': {
      const leader = encodeText(outcome.behind === undefined ? (outcome.leaderId ?? '') : behindText(outcome.behind));
      return begin(reply, 8 + 1 + 4 + leader.byteLength)
        .u64(reply.requestId)
        .u8(1)
        .text(leader).bytes;
    }
    case 'unknown':
      return begin(reply, 8 + 1)
        .u64(reply.requestId)
        .u8(2).bytes;
  }
}

function decodeProposeReply(reader: ByteReader): ProposeReply {
  const requestId = reader.u64();
  const outcome = reader.u8();
  switch (outcome) {
    case 0:
      return { kind: 'propose-reply', requestId, outcome: { kind: 'results', results: decodeRuns(reader) } };
    case 1:
      return { kind: 'propose-reply', requestId, outcome: refusalFor(reader.text(MOST_ID_BYTES)) };
    case 2:
      return { kind: 'propose-reply', requestId, outcome: { kind: 'unknown' } };
    default:
      throw new MalformedBytes(`${outcome} is no outcome of a proposal`);
  }
}

const BEHIND: readonly Behind[] = ['disk', 'state machine'];

/**
 * A leader that is behind names what is in place of a leader's id, behind a sign that no id has: nodes that do not know of it
 * read no more into it than that they were refused.
 */
const behindText = (behind: Behind): string => `!${behind}`;

function refusalFor(text: string): Extract<ProposeReply['outcome'], { kind: 'refused' }> {
  const behind = BEHIND.find((one) => behindText(one) === text);
  if (behind !== undefined) return { kind: 'refused', leaderId: null, behind };
  return { kind: 'refused', leaderId: problemWithId(text) === undefined ? text : null };
}

/** The last byte is there only where a lease is enough. */
function encodeReadRequest(request: ReadRequest): Uint8Array {
  const { requestId, byLease = false } = request;
  const writer = begin(request, 8 + Number(byLease)).u64(requestId);
  return byLease ? writer.u8(1).bytes : writer.bytes;
}

function decodeReadRequest(reader: ByteReader): ReadRequest {
  const requestId = reader.u64();
  if (reader.left === 0) return { kind: 'read-request', requestId };
  if (!reader.boolean()) throw new MalformedBytes('a read that needs no lease and says so');
  return { kind: 'read-request', requestId, byLease: true };
}

function decodeReadReply(reader: ByteReader): ReadReply {
  const requestId = reader.u64();
  const confirmed = reader.boolean();
  const readIndex = asIndex(reader.u64());
  return { kind: 'read-reply', requestId, readIndex: confirmed ? readIndex : null };
}
