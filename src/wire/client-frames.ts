import type { QuorateErrorCode } from '../errors/quorate-error.js';
import type { NodeId, Term } from '../raft/numbers-and-ids.js';
import { asTerm } from '../raft/numbers-and-ids.js';
import { ByteReader, ByteWriter, decodeText, encodeText, MalformedBytes } from './bytes.js';

/** The messages of clients and nodes on `/client`. */

/** The subprotocol of this version: an answer to a query says which log index it reflects. */
export const CLIENT_PROTOCOL = 'quorate.client.2';

/** The subprotocol of the first version, which is the same but for that index. */
export const FIRST_CLIENT_PROTOCOL = 'quorate.client.1';

/** The subprotocols that are spoken here, the newest first. A client offers them all, and the node takes the newest that it knows. */
export const CLIENT_PROTOCOLS: readonly string[] = [CLIENT_PROTOCOL, FIRST_CLIENT_PROTOCOL];

/** The service that a client means whose hello names none, as those of the first version do. */
export const DEFAULT_SERVICE = 'key-value';

/**
 * The kind of a request: a command is proposed, or a query of the service is asked. The queries named `get` and `list` have operations
 * of their own, because the first version had no others. The payload is a command, or what `encodeQuestion` writes.
 */
export type Operation = 'propose' | 'get' | 'list' | 'query';

export interface ClientRequest {
  /** Chosen by the client, unique on its connection; below 2^32. */
  readonly id: number;
  readonly operation: Operation;
  /** How long the node may take, ms. */
  readonly timeoutMs: number;
  readonly payload: Uint8Array;
}

export interface ErrorReply {
  readonly code: QuorateErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export type ClientReply =
  | {
      readonly id: number;
      readonly payload: Uint8Array;
      /** An answer to a query has it: all entries of the log up to it were applied where the answer was made. Not in the first protocol. */
      readonly index?: number;
    }
  | { readonly id: number; readonly error: ErrorReply };

/** Who leads, as far as the node knows: sent after the greeting, and at every change. */
export interface LeaderNews {
  readonly term: Term;
  readonly leaderId: NodeId | null;
  readonly members: readonly { readonly id: NodeId; readonly address: string }[];
}

export type ClientFrame =
  /** The first frame of a connection, sent at once: one that says nothing is closed. */
  | { readonly kind: 'hello'; readonly service?: string }
  | { readonly kind: 'requests'; readonly requests: readonly ClientRequest[] };

export type NodeFrame =
  | { readonly kind: 'replies'; readonly replies: readonly ClientReply[] }
  | { readonly kind: 'leader'; readonly news: LeaderNews };

/** In one frame. Taking them in must not keep a node from its peers: clients send more in further frames. */
export const MOST_REQUESTS = 1_024;

const HELLO = 0;
const REQUESTS = 1;
const REPLIES = 2;
const LEADER = 3;
const OPERATIONS: readonly Operation[] = ['propose', 'get', 'list', 'query'];
const REQUEST_HEADER_BYTES = 4 + 1 + 4 + 4;
const REPLY_HEADER_BYTES = 4 + 1 + 4;
const RESULT = 0;
const ERROR = 1;
const INDEXED_ANSWER = 2;
const INDEX_BYTES = 8;
const MOST_TEXT_BYTES = 64 * 1024;
/** The longest name of a service. */
const MOST_NAME_BYTES = 1_024;
const MOST_MEMBERS = 1_024;

export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  if (frame.kind === 'hello') return encodeHello(frame.service);
  let size = 5;
  for (const { payload } of frame.requests) size += REQUEST_HEADER_BYTES + payload.byteLength;
  const writer = new ByteWriter(size).u8(REQUESTS).u32(frame.requests.length);
  for (const { id, operation, timeoutMs, payload } of frame.requests) {
    writer.u32(id).u8(OPERATIONS.indexOf(operation)).u32(timeoutMs).text(payload);
  }
  return writer.bytes;
}

/** Nodes of the first version expect no name. */
function encodeHello(service = DEFAULT_SERVICE): Uint8Array {
  if (service === DEFAULT_SERVICE) return new ByteWriter(1).u8(HELLO).bytes;
  const name = encodeText(service);
  return new ByteWriter(1 + 4 + name.byteLength).u8(HELLO).text(name).bytes;
}

/** Payloads are views of `bytes`. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const reader = new ByteReader(bytes);
  const kind = reader.u8();
  if (kind === HELLO) {
    if (reader.left === 0) return { kind: 'hello' };
    const service = reader.text(MOST_NAME_BYTES);
    reader.end();
    return { kind: 'hello', service };
  }
  if (kind !== REQUESTS) throw new MalformedBytes(`${kind} is no kind of frame that a client sends`);
  const requests = list(reader, { leastBytes: REQUEST_HEADER_BYTES, most: MOST_REQUESTS }, () => {
    const id = reader.u32();
    const operation = OPERATIONS[reader.u8()];
    if (operation === undefined) throw new MalformedBytes('an unknown operation');
    const timeoutMs = reader.u32();
    return { id, operation, timeoutMs, payload: reader.run(reader.u32()) };
  });
  reader.end();
  return { kind: 'requests', requests };
}

export function encodeNodeFrame(frame: NodeFrame): Uint8Array {
  return frame.kind === 'replies' ? encodeReplies(frame.replies) : encodeNews(frame.news);
}

/** Payloads are views of `bytes`. */
export function decodeNodeFrame(bytes: Uint8Array): NodeFrame {
  const reader = new ByteReader(bytes);
  const frame = decodeByKind(reader, reader.u8());
  reader.end();
  return frame;
}

function decodeByKind(reader: ByteReader, kind: number): NodeFrame {
  if (kind === LEADER) return { kind: 'leader', news: decodeNews(reader) };
  if (kind !== REPLIES) throw new MalformedBytes(`${kind} is no kind of frame that a node sends`);
  return { kind: 'replies', replies: list(reader, { leastBytes: REPLY_HEADER_BYTES }, () => decodeReply(reader)) };
}

function decodeReply(reader: ByteReader): ClientReply {
  const id = reader.u32();
  const kind = reader.u8();
  if (kind === INDEXED_ANSWER) return { id, index: reader.u64(), payload: reader.run(reader.u32()) };
  if (kind !== RESULT && kind !== ERROR) throw new MalformedBytes(`${kind} is no kind of reply`);
  const payload = reader.run(reader.u32());
  return kind === ERROR ? { id, error: decodeError(payload) } : { id, payload };
}

function encodeReplies(replies: readonly ClientReply[]): Uint8Array {
  const bodies = replies.map((reply) => ('error' in reply ? encodeText(JSON.stringify(reply.error)) : reply.payload));
  let size = 5;
  for (const body of bodies) size += REPLY_HEADER_BYTES + body.byteLength;
  for (const reply of replies) if (kindOf(reply) === INDEXED_ANSWER) size += INDEX_BYTES;
  const writer = new ByteWriter(size).u8(REPLIES).u32(replies.length);
  replies.forEach((reply, at) => {
    writer.u32(reply.id).u8(kindOf(reply));
    if ('index' in reply && reply.index !== undefined) writer.u64(reply.index);
    writer.text(bodies[at] as Uint8Array);
  });
  return writer.bytes;
}

function kindOf(reply: ClientReply): number {
  if ('error' in reply) return ERROR;
  return reply.index === undefined ? RESULT : INDEXED_ANSWER;
}

function decodeError(payload: Uint8Array): ErrorReply {
  try {
    const { code, message, details } = JSON.parse(decodeText(payload)) as Partial<ErrorReply>;
    // Without a code nothing is known of it: least of all that it is safe to ask again.
    return { code: code ?? 'QUORATE_OUTCOME_UNKNOWN', message: String(message), details: details ?? {} };
  } catch {
    throw new MalformedBytes('an error that is no JSON');
  }
}

function encodeNews({ term, leaderId, members }: LeaderNews): Uint8Array {
  const leader = encodeText(leaderId ?? '');
  const texts = members.flatMap(({ id, address }) => [encodeText(id), encodeText(address)]);
  const size = texts.reduce((sum, text) => sum + 4 + text.byteLength, 1 + 8 + 4 + leader.byteLength + 4);
  const writer = new ByteWriter(size).u8(LEADER).u64(term).text(leader).u32(members.length);
  for (const text of texts) writer.text(text);
  return writer.bytes;
}

function decodeNews(reader: ByteReader): LeaderNews {
  const term = asTerm(reader.u64());
  const leaderId = reader.text(MOST_TEXT_BYTES);
  const count = reader.u32();
  if (count > MOST_MEMBERS) throw new MalformedBytes(`${count} members`);
  const members = Array.from({ length: count }, () => {
    return { id: reader.text(MOST_TEXT_BYTES), address: reader.text(MOST_TEXT_BYTES) };
  });
  return { term, leaderId: leaderId === '' ? null : leaderId, members };
}

/** Reads a list behind its count; a count that cannot be true allocates nothing. */
function list<Item>(
  reader: ByteReader,
  { leastBytes, most = Number.POSITIVE_INFINITY }: { readonly leastBytes: number; readonly most?: number },
  read: () => Item,
): readonly Item[] {
  const count = reader.u32();
  if (count > most) throw new MalformedBytes(`expected at most ${most} items, got ${count}`);
  if (count * leastBytes > reader.left) throw new MalformedBytes(`${count} items do not fit in ${reader.left} bytes`);
  const items: Item[] = [];
  for (let at = 0; at < count; at += 1) items.push(read());
  return items;
}
