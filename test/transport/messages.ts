import type { Append, Entry, PeerMessage } from '../../src/raft/messages.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';

/** A proposal that is passed on to the leader, of about so many bytes. */
export function request(requestId: number, bytes: number): PeerMessage {
  return { kind: 'propose-request', requestId, remainingMs: 1_000, commands: [new Uint8Array(bytes)] };
}

export function heartbeat(readRound: number): Append {
  return {
    kind: 'append',
    term: asTerm(1),
    previous: { index: asIndex(0), term: asTerm(0) },
    entries: [],
    commitIndex: asIndex(0),
    readRound: asReadRound(readRound),
  };
}

/** An append of this entry, behind those that come before it in the same term. */
export function appendOf(entry: Entry): Append {
  const { term, index } = entry;
  const previous = { index: asIndex(index - 1), term: index === 1 ? asTerm(0) : term };
  return { ...heartbeat(0), term, previous, entries: [entry] };
}
