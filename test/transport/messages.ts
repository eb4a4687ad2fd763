import type { Append, PeerMessage } from '../../src/raft/messages.js';
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
