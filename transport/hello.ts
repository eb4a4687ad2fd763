import type { NodeId } from '../src/raft/numbers-and-ids.js';
import { problemWithId } from '../src/raft/numbers-and-ids.js';
import type { KnownPeers } from '../src/seams/known-peers.js';
import type { Identity } from '../src/seams/transport.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../src/wire/bytes.js';

/** Version of the protocol between nodes. Either side says it first of all. */
export const PROTOCOL_VERSION = 1;

/** The greeting of the node that dialed. */
export interface Hello {
  readonly version: number;
  readonly identity: Identity;
  /** Whom it thinks it has dialed. */
  readonly expected: NodeId;
}

/** The answer to the greeting. */
export type Welcome =
  | { readonly accepted: true; readonly identity: Identity }
  | { readonly accepted: false; readonly reason: string };

const MAGIC = 0x4f525551; // "QURO"
const MOST_TEXT_BYTES = 512;

export function encodeHello({ version, identity, expected }: Hello): Uint8Array {
  const texts = [...textsOf(identity), encodeText(expected)];
  return withTexts(new ByteWriter(8 + sizeOf(texts)).u32(MAGIC).u32(version), texts);
}

/** A hello of another version is read as far as its version, and no further: what follows may be anything. */
export function decodeHello(bytes: Uint8Array): Hello | { readonly version: number; readonly identity: null } {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new MalformedBytes('no greeting of a Quorate node');
  const version = reader.u32();
  if (version !== PROTOCOL_VERSION) return { version, identity: null };
  const identity = readIdentity(reader);
  const expected = readId(reader);
  reader.end();
  return { version, identity, expected };
}

export function encodeWelcome(welcome: Welcome): Uint8Array {
  const texts = welcome.accepted
    ? textsOf(welcome.identity)
    : [encodeText(welcome.reason).subarray(0, MOST_TEXT_BYTES)];
  return withTexts(new ByteWriter(5 + sizeOf(texts)).u32(MAGIC).u8(Number(welcome.accepted)), texts);
}

export function decodeWelcome(bytes: Uint8Array): Welcome {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new MalformedBytes('no answer of a Quorate node');
  const accepted = reader.boolean();
  const welcome: Welcome = accepted
    ? { accepted, identity: readIdentity(reader) }
    : { accepted, reason: reader.text(MOST_TEXT_BYTES) };
  reader.end();
  return welcome;
}

function textsOf({ clusterId, nodeId, incarnation }: Identity): Uint8Array[] {
  return [clusterId, nodeId, incarnation].map(encodeText);
}

function readIdentity(reader: ByteReader): Identity {
  const clusterId = reader.text(MOST_TEXT_BYTES);
  const nodeId = readId(reader);
  return { clusterId, nodeId, incarnation: reader.text(MOST_TEXT_BYTES) };
}

/** An id that no node can have would be looked up in records all the same. */
function readId(reader: ByteReader): NodeId {
  const id = reader.text(MOST_TEXT_BYTES);
  const problem = problemWithId(id);
  if (problem !== undefined) throw new MalformedBytes(problem);
  return id;
}

function sizeOf(texts: readonly Uint8Array[]): number {
  return texts.reduce((sum, text) => sum + 4 + text.byteLength, 0);
}

function withTexts(writer: ByteWriter, texts: readonly Uint8Array[]): Uint8Array {
  for (const text of texts) writer.text(text);
  return writer.bytes;
}

/** For as long as this object lives: for nodes without a data directory, which nobody knows again after a restart either. */
export class PeersKnownInMemory implements KnownPeers {
  readonly #incarnations = new Map<NodeId, string>();

  incarnationOf(peer: NodeId): string | undefined {
    return this.#incarnations.get(peer);
  }

  remember(peer: NodeId, incarnation: string, done: (error?: Error) => void): void {
    if (!this.#incarnations.has(peer)) this.#incarnations.set(peer, incarnation);
    done();
  }
}

export interface Meeting {
  readonly self: Identity;
  /** The identity that the other end claims. */
  readonly other: Identity;
  /** For the one who dialed: whom it meant to reach. */
  readonly expected?: NodeId;
  readonly knownPeers: KnownPeers;
}

/**
 * Decides whether two nodes belong together. Calls back with the reason why not, a sentence that makes sense on both sides; or
 * with undefined, once it is durable that the other was met: no message of it may have an effect before that (P43).
 */
export function checkIdentity(meeting: Meeting, done: (reason: string | undefined) => void): void {
  const { self, other, knownPeers } = meeting;
  const reason = objection(meeting);
  if (reason !== undefined || knownPeers.incarnationOf(other.nodeId) !== undefined) return done(reason);
  knownPeers.remember(other.nodeId, other.incarnation, (error) => {
    if (error === undefined) return done(objection(meeting));
    done(
      `${self.nodeId} cannot keep on its disk that it met ${other.nodeId}, and believes only nodes that it will know again (${error.message}): mend the disk of ${self.nodeId}; it tries again`,
    );
  });
}

function objection({ self, other, expected, knownPeers }: Meeting): string | undefined {
  if (other.clusterId !== self.clusterId) {
    return `${other.nodeId} belongs to cluster ${other.clusterId}, ${self.nodeId} to ${self.clusterId}: check --cluster and the ids in --peers of both`;
  }
  if (other.nodeId === self.nodeId) {
    return other.incarnation === self.incarnation
      ? `${self.nodeId} dialed itself: check the addresses in --peers`
      : `two nodes have the id ${self.nodeId}: give each its own`;
  }
  const known = knownPeers.incarnationOf(other.nodeId);
  if (known !== undefined && known !== other.incarnation) {
    return `${other.nodeId} has another data directory than the ${other.nodeId} that ${self.nodeId} has met: start it with the directory it had. If its data is gone, so are its votes and what it acknowledged: it stays out, and this version cannot admit it again; the other nodes work on while a majority of them runs`;
  }
  if (expected === undefined || other.nodeId === expected) return undefined;
  return `${other.nodeId} answers where ${expected} was expected: check the addresses in --peers`;
}
