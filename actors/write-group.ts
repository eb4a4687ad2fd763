import type { LogRecord, PeerMessage } from '../src/raft/messages.js';
import { mergedAcceptance } from '../src/raft/messages.js';
import type { LogPosition } from '../src/raft/numbers-and-ids.js';
import { NO_TERM } from '../src/raft/numbers-and-ids.js';
import type { Outlet } from './link.js';

/** A message that waits for the disk, with the way it will leave by. */
export interface HeldMessage {
  readonly outlet: Outlet;
  readonly message: PeerMessage;
}

/** The records that one sync covers. */
export interface Group {
  readonly then: readonly HeldMessage[];
  readonly last: LogPosition | null;
  readonly vote: Extract<LogRecord, { kind: 'vote' }> | null;
  /** A peer's snapshot that may take its place once this is durable. */
  readonly installing: LogPosition | null;
  readonly content: 'nothing' | 'messages' | 'records';
  /** Size of the entries' payloads. */
  readonly bytes: number;
}

export const NOTHING: Group = { then: [], last: null, vote: null, installing: null, content: 'nothing', bytes: 0 };

/**
 * Whether `record` cuts entries up to `last`, which are being made durable. What that sync leaves on the disk is no longer the
 * log, even if the same entries should come once more in a later record (P13).
 */
export function cuts(record: LogRecord, last: LogPosition | null): boolean {
  if (last === null) return false;
  return record.kind === 'installed' || (record.kind === 'truncation' && record.from <= last.index);
}

export function join(group: Group, records: readonly LogRecord[], then: readonly HeldMessage[]): Group {
  let { last, vote, installing, bytes } = group;
  for (const record of records) {
    if (record.kind === 'vote') vote = record;
    if (record.kind === 'installing') installing = record.snapshot;
    if (record.kind === 'installed') last = record.snapshot;
    if (record.kind !== 'entries') continue;
    last = record.entries.at(-1) ?? last;
    for (const { payload } of record.entries) bytes += payload.byteLength;
  }
  const position = last === null ? null : { index: last.index, term: last.term };
  const content = records.length > 0 || group.content === 'records' ? 'records' : 'messages';
  return {
    then: then.length === 0 ? group.then : [...group.then, ...then],
    last: position,
    vote,
    installing,
    content,
    bytes,
  };
}

/** Like `join`, while the disk hangs. */
export function joinNewest(group: Group, records: readonly LogRecord[], then: readonly HeldMessage[]): Group {
  const joined = join(group, records, []);
  return { ...joined, then: then.reduce(withNewest, joined.then) };
}

/**
 * While the disk hangs only the newest answer of a kind to each peer is kept: it says all that the ones before it say, and
 * they would be ever more.
 */
export function withNewest(waiting: readonly HeldMessage[], { outlet, message }: HeldMessage): readonly HeldMessage[] {
  const isOlder = (other: HeldMessage): boolean => other.outlet === outlet && isSameKind(other.message, message);
  // A heartbeat's answer vouches for less of the log than the one before it did.
  const newest = waiting
    .filter(isOlder)
    .reduce((newer, older) => mergedAcceptance(older.message, newer) ?? newer, message);
  return [...waiting.filter((other) => !isOlder(other)), { outlet, message: newest }];
}

function isSameKind(a: PeerMessage, b: PeerMessage): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === 'append-reply' && b.kind === 'append-reply') return a.accepted === b.accepted;
  return a.kind === 'vote-reply';
}

/** Both groups as one: the next sync covers them together. Answers of a term that is over, because the first group has a newer one, are left out. */
export function follow(group: Group, next: Group): Group {
  const term = group.vote?.term ?? NO_TERM;
  const isOver = ({ message }: HeldMessage): boolean => message.kind === 'append-reply' && message.term < term;
  return {
    then: next.then.reduce(withNewest, group.then).filter((held) => !isOver(held)),
    last: next.last ?? group.last,
    vote: next.vote,
    installing: next.installing ?? group.installing,
    content: 'records',
    bytes: group.bytes + next.bytes,
  };
}
