import type { Effect, Step } from '../../src/raft/effects.js';
import type { LogShape } from '../../src/raft/log-shape.js';
import { EMPTY_LOG, extend } from '../../src/raft/log-shape.js';
import type { Append, AppendReply, Entry } from '../../src/raft/messages.js';
import type { Index, NodeId, Term } from '../../src/raft/numbers-and-ids.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { initialState } from '../../src/raft/replica-state.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';

/** A log whose entries have these terms, all of them durable. */
export function logOf(...terms: readonly number[]): LogShape {
  const log = terms.reduce((shape, term) => extend(shape, asTerm(term), 1), EMPTY_LOG);
  return { ...log, durableIndex: log.lastIndex };
}

/** Server `a` of a cluster. */
export function stateOf(change: Partial<ReplicaState> = {}, ids = 'abc'): ReplicaState {
  const servers = [...ids].map((id) => ({ id, address: `${id}:1` }));
  return { ...initialState('a', servers, DEFAULT_SETTINGS), ...change };
}

/** Server `a`, leading `term` over `log`, with what the others are known to hold. */
export function leaderOf(
  term: number,
  log: LogShape,
  match: Readonly<Record<NodeId, number>> = {},
  ids = 'abc',
): ReplicaState {
  const matchIndex = { a: log.durableIndex, ...match } as unknown as Record<NodeId, Index>;
  return stateOf({ term: asTerm(term), log, leaderId: 'a', votedFor: 'a', matchIndex }, ids);
}

export function entry(index: number, term: number, text = ''): Entry {
  const payload = new TextEncoder().encode(text);
  const position = { index: asIndex(index), term: asTerm(term) };
  return { kind: 'command', ...position, timeMs: index, sessionId: 0, sequence: 0, lowWater: 0, payload };
}

export function append(
  term: number,
  previous: [index: number, term: number],
  entries: readonly Entry[],
  commit = 0,
): Append {
  return {
    kind: 'append',
    term: asTerm(term),
    previous: at(...previous),
    entries,
    commitIndex: asIndex(commit),
    readRound: asReadRound(0),
  };
}

export function accepted(term: number, matchIndex: number, round = 0): AppendReply {
  return {
    kind: 'append-reply',
    term: asTerm(term),
    accepted: true,
    matchIndex: asIndex(matchIndex),
    readRound: asReadRound(round),
  };
}

export const at = (index: number, term: number): { index: Index; term: Term } => ({
  index: asIndex(index),
  term: asTerm(term),
});

export function effectsOf<Kind extends Effect['kind']>(
  { effects }: Step,
  kind: Kind,
): Extract<Effect, { kind: Kind }>[] {
  return effects.filter((effect): effect is Extract<Effect, { kind: Kind }> => effect.kind === kind);
}

/** The messages that leave by the door to the disk, and with which records. */
export function door(step: Step) {
  return effectsOf(step, 'write').map(({ records, then }) => ({
    records,
    messages: then.map(({ message }) => message),
  }));
}
