import { InvariantViolation, invariant } from '../raft/invariant.js';
import type { LogShape } from '../raft/log-shape.js';
import { beginAfter, beginAnew, EMPTY_LOG, extend, holds, lastPosition, truncate } from '../raft/log-shape.js';
import type { AppliedInVain, Entry, LogRecord, Skip } from '../raft/messages.js';
import type { Index, LogPosition, NodeId, Term } from '../raft/numbers-and-ids.js';
import { greater, lesser, NO_INDEX, NO_TERM } from '../raft/numbers-and-ids.js';
import type { StoredRecord } from '../wire/records.js';

/** The state that a sequence of records adds up to: term, vote, and the log's shape. */
export interface LogImage {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  readonly commitIndex: Index;
  readonly lastTimeMs: number;
  readonly closed: boolean;
  /** Peers' snapshots any of which may have taken its place, and nothing says yet that it has. */
  readonly installing: readonly LogPosition[];
  readonly skips: readonly Skip[];
  /** Where the state machine threw last. */
  readonly inVain: AppliedInVain | undefined;
}

export const EMPTY_IMAGE: LogImage = {
  term: NO_TERM,
  votedFor: null,
  log: EMPTY_LOG,
  commitIndex: NO_INDEX,
  lastTimeMs: 0,
  closed: false,
  installing: [],
  skips: [],
  inVain: undefined,
};

/** Why a record cannot follow what came before it. */
class ImpossibleRecord extends Error {
  override readonly name = 'ImpossibleRecord';
}

export function withRecord(image: LogImage, record: StoredRecord): LogImage {
  const open = { ...image, closed: false };
  switch (record.kind) {
    case 'entries':
      return withEntries(open, record.entries);
    case 'truncation':
      if (record.from <= image.commitIndex) {
        throw new ImpossibleRecord(`entries up to ${image.commitIndex} are committed, and cut from ${record.from} on`);
      }
      return { ...open, log: truncate(image.log, record.from) };
    case 'vote':
      return { ...open, term: record.term, votedFor: record.votedFor };
    case 'commit':
      return { ...open, commitIndex: greater(image.commitIndex, lesser(record.index, image.log.lastIndex)) };
    case 'closed':
      return { ...image, closed: true };
    case 'installing':
      return { ...open, installing: [...image.installing.filter(isOther(record.snapshot)), record.snapshot] };
    case 'installed':
      return beginningAnew(open, record.snapshot, record.timeMs);
    case 'skip':
      return { ...open, skips: [...image.skips, record] };
    case 'applied-in-vain':
      return {
        ...open,
        commitIndex: greater(image.commitIndex, lesser(record.to, image.log.lastIndex)),
        inVain: record,
      };
  }
}

/** The same log, without what is before `previous` and without that entry. */
export const beginningAfter = (image: LogImage, previous: LogPosition): LogImage => {
  return { ...image, log: beginAfter(image.log, previous) };
};

/** A log that holds nothing of what it held, and goes on behind a peer's snapshot (§7). */
export function beginningAnew(image: LogImage, snapshot: LogPosition, timeMs: number): LogImage {
  const commitIndex = greater(image.commitIndex, snapshot.index);
  if (commitIndex > snapshot.index)
    throw new ImpossibleRecord(`entries up to ${commitIndex} are committed, and a snapshot ends at ${snapshot.index}`);
  const log = beginAnew(snapshot, snapshot.index);
  return { ...image, log, commitIndex, lastTimeMs: timeMs, installing: [] };
}

/** Whether a position is another one than this. */
export const isOther =
  ({ index, term }: LogPosition) =>
  (other: LogPosition): boolean =>
    other.index !== index || other.term !== term;

export const endOf = (image: LogImage): LogPosition => lastPosition(image.log);

function withEntries(image: LogImage, entries: readonly Entry[]): LogImage {
  let { log } = image;
  let last = endOf(image);
  let runStart = 0;
  entries.forEach((entry, at) => {
    if (entry.index !== last.index + 1 || entry.term < last.term) {
      throw new ImpossibleRecord(
        `entry ${entry.index} of term ${entry.term} follows ${last.index} of term ${last.term}`,
      );
    }
    last = entry;
    if (entries[at + 1]?.term === entry.term) return;
    log = extend(log, entry.term, at + 1 - runStart);
    runStart = at + 1;
  });
  const isMissing = (snapshot: LogPosition): boolean => snapshot.index > log.lastIndex || !holds(log, snapshot);
  const installing = image.installing.length === 0 ? image.installing : image.installing.filter(isMissing);
  const lastTimeMs = entries.at(-1)?.timeMs ?? image.lastTimeMs;
  return { ...image, log, lastTimeMs, installing };
}

/** Checks a record before it is added to a log that adds up to `image`. */
export function checkRecord(image: LogImage, record: LogRecord): void {
  switch (record.kind) {
    case 'vote': {
      invariant(record.term >= image.term, '§5.1: a term that was written is never taken back');
      const isFirst = record.term > image.term || image.votedFor === null;
      invariant(isFirst || record.votedFor === image.votedFor, '§5.2: one vote in a term');
      return;
    }
    case 'truncation':
      return invariant(record.from <= image.log.lastIndex + 1, 'a truncation begins within the log');
    case 'entries':
      return checkTimes(record.entries);
    case 'skip':
      return invariant(record.index <= image.commitIndex, 'only what is committed is skipped');
    case 'applied-in-vain':
      return invariant(record.to <= image.log.lastIndex, 'only what is in the log was applied in vain');
    case 'installed':
      return invariant(record.snapshot.index > image.commitIndex, 'P25: a snapshot never replaces what is committed');
    case 'installing':
    case 'commit':
      return;
  }
}

function checkTimes(entries: readonly Entry[]): void {
  let last = 0;
  for (const { timeMs } of entries) {
    invariant(timeMs >= last, "the time that a leader's entries carry never goes back");
    last = timeMs;
  }
}

/** Checks a durable log that was `before` and has become `after`. */
export function checkDurable(before: LogImage, after: LogImage): void {
  invariant(after.term >= before.term, '§5.1: a durable term is never taken back');
  invariant(after.commitIndex >= before.commitIndex, 'P17: a commit index never goes back');
  invariant(after.commitIndex <= after.log.lastIndex, 'P16: nothing beyond the end of a log is committed');
}

/** The content of a log in memory and on disk, as its parts count it. */
export interface LogAccount {
  /** The sum of all records that were appended; `durable` is the sum of those on disk. */
  readonly appended: LogImage;
  readonly durable: LogImage;
  /** Records that were appended and not given to the writer yet. */
  readonly stagedRecords: number;
  readonly stagedBytes: number;
  /** Range of the entries in memory; its first is one past its last where there are none. */
  readonly cache: { readonly firstIndex: Index; readonly lastIndex: Index };
  /** Entries that the disk has from here on were cut from the log; undefined where no truncation waits for the disk. */
  readonly stagedCut: Index | undefined;
  /** The log begins anew behind this entry, by a record that waits for the disk. */
  readonly stagedBeginning: Index | undefined;
}

/** Checks a log whose sync has ended. */
export function checkAccount({
  appended,
  durable,
  stagedRecords,
  stagedBytes,
  cache,
  stagedCut,
  stagedBeginning,
}: LogAccount): void {
  invariant(cache.lastIndex === appended.log.lastIndex, 'the cache ends where the log ends');
  const cutAt = Math.min(durable.log.lastIndex, (stagedCut ?? Number.POSITIVE_INFINITY) - 1);
  const onDisk = Math.max(cutAt, stagedBeginning ?? 0);
  invariant(cache.firstIndex <= onDisk + 1, 'P13: what is not on disk yet is in memory');
  invariant(stagedRecords > 0 || stagedBytes === 0, 'only records that wait for the disk are counted as waiting');
  invariant(stagedRecords > 0 || stagedCut === undefined, 'a truncation waits for the disk as long as its record does');
  const isAll = durable.term === appended.term && durable.log.lastIndex === appended.log.lastIndex;
  invariant(stagedRecords > 0 || isAll, 'a sync makes everything durable that was appended before it');
}

/** Checks entries that were read back from disk. */
export function checkRead(entries: readonly Entry[], from: Index, lastIndex: Index): void {
  entries.forEach(({ index }, at) => {
    invariant(index === from + at, 'entries that are read follow one another');
  });
  invariant(from + entries.length - 1 <= lastIndex, 'a read ends where newer entries are in memory');
}

/**
 * The invariant that `check` found broken. A callback of the disk returns it as its failure: thrown out of there, it would end
 * the process. Any other error is thrown on.
 */
export function violationIn(check: () => void): InvariantViolation | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InvariantViolation) return error;
    throw error;
  }
}
