import { fromCallback } from 'xstate';
import type { LogRecord, PeerMessage } from '../src/raft/messages.js';
import { mergedAcceptance } from '../src/raft/messages.js';
import type { Index, LogPosition } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { LogReport } from './events.js';
import type { Outlet } from './link.js';

/** A message that waits for the disk, with the way it will leave by. */
export interface HeldMessage {
  readonly outlet: Outlet;
  readonly message: PeerMessage;
}

export interface LogWriterOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  /** How often a sync that is under way is looked at, ms. */
  readonly lookEveryMs: number;
  /** A sync that takes longer than this is one of a disk that hangs, ms; a large one is given more. */
  readonly patienceMs: number;
  /** So much of the log is kept, roughly, whatever a snapshot stands for: for followers that are behind. Default 0. */
  readonly keepBytes?: number;
}

/** The records that one sync covers. */
interface Group {
  readonly then: readonly HeldMessage[];
  readonly last: LogPosition | null;
  readonly vote: Extract<LogRecord, { kind: 'vote' }> | null;
  readonly content: 'nothing' | 'messages' | 'records';
  /** Size of the entries' payloads. */
  readonly bytes: number;
}

const NOTHING: Group = { then: [], last: null, vote: null, content: 'nothing', bytes: 0 };

/** A disk that writes this many bytes in a millisecond (16 MiB in a second) is slow, and does not hang. */
const SLOW_DISK_BYTES_PER_MS = 16 * 1024;
/** However much is written, a sync is never waited for longer than by this. */
const MOST_EXTRA_MS = 1_000;

/**
 * - `opening`: the store recovers what is on disk
 * - `idle`: all that was written is durable
 * - `syncing`: one group is being made durable; the next gathers
 * - `stalled`: the sync does not end (P36)
 * - `over`: it failed, and nothing ever leaves again (P31), or it was stopped
 */
type Phase = 'opening' | 'idle' | 'syncing' | 'stalled' | 'over';

/**
 * Owns the order of durability. Records are staged as they come; one sync at a time makes a whole group of them
 * durable, and while it runs the next group gathers. A sync that does not end is reported (P36), and what is written then
 * still waits for it. After a failure nothing ever leaves again (P31).
 *
 * It is called directly: writing costs no event, and a finished sync costs one, `log.durable`, or `vote.durable` beside it.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #report: (report: LogReport) => void = () => undefined;
  #phase: Phase = 'opening';
  /** The group that is being made durable. */
  #syncing = NOTHING;
  /** Gathers while the disk is busy: group commit. */
  #gathering = NOTHING;
  /** For how many intervals the sync that is under way has taken. */
  #intervalsWaited = 0;
  #timer: unknown;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Opens the store. What comes of it, and all that becomes durable later, is reported. */
  start(report: (report: LogReport) => void): void {
    this.#report = report;
    const failed = (error: Error): void => this.#fail(error);
    this.#options.store.open((error, recovered) => {
      if (recovered === undefined) return this.#fail(error ?? new Error('log store: no outcome'));
      if (this.#phase !== 'opening') return;
      this.#phase = 'idle';
      this.#report({ type: 'log.recovered', recovered });
    }, failed);
  }

  stop(): void {
    this.#phase = 'over';
    this.#options.clock.clearTimeout(this.#timer);
  }

  /** The one door to the disk: `then` leaves when `records`, and all that was written before them, are durable (P1, P15). */
  write(records: readonly LogRecord[], then: readonly HeldMessage[]): void {
    if (this.#phase === 'over' || this.#phase === 'opening') return;
    try {
      // Readable at once, durable later.
      if (records.length > 0) this.#options.store.append(records);
    } catch (error) {
      return this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (records.some((record) => cuts(record, this.#syncing.last))) this.#syncing = { ...this.#syncing, last: null };
    if (this.#phase !== 'idle') {
      this.#gathering =
        this.#phase === 'stalled' ? joinNewest(this.#gathering, records, then) : join(this.#gathering, records, then);
    } else if (records.length === 0) {
      // Messages alone wait only for what was written before them, and all of that is durable.
      release(then);
    } else this.#sync(join(NOTHING, records, then));
  }

  /** A durable snapshot stands for what is up to `upTo`. What the store lets go of is reported. */
  trim(upTo: Index): void {
    if (this.#phase === 'over' || this.#phase === 'opening') return;
    const { store, keepBytes = 0 } = this.#options;
    const previous = store.trim?.(upTo, keepBytes);
    if (previous !== undefined) this.#report({ type: 'log.trimmed', previous });
  }

  /** `held` vouches for term and vote, and for nothing else that is not durable: it waits for these alone (P1). */
  answer(held: HeldMessage): void {
    if (this.#phase === 'over' || this.#phase === 'opening') return;
    if (this.#gathering.vote !== null) this.write([], [held]);
    else if (this.#syncing.vote === null || this.#phase === 'idle') release([held]);
    else this.#syncing = { ...this.#syncing, then: withNewest(this.#syncing.then, held) };
  }

  /** The messages that wait for the sync after the one that is under way. */
  get gathered(): readonly HeldMessage[] {
    return this.#gathering.then;
  }

  #sync(group: Group): void {
    this.#phase = 'syncing';
    this.#syncing = group;
    this.#intervalsWaited = 0;
    this.#timer ??= this.#options.clock.setTimeout(() => this.#look(), this.#options.lookEveryMs);
    this.#options.store.sync((error) => {
      if (error === undefined) this.#synced();
      else this.#fail(error);
    });
  }

  #synced(): void {
    if (this.#phase === 'over') return;
    const { then, last, vote } = this.#syncing;
    const stalledForMs = this.#phase === 'stalled' ? this.#waitedMs : null;
    release(then);
    const next = this.#gathering;
    this.#gathering = NOTHING;
    if (next.content === 'records') this.#sync(next);
    else {
      this.#phase = 'idle';
      release(next.then);
    }
    // What waited for the disk has left; now the chart learns what is durable.
    if (vote !== null) this.#report({ type: 'vote.durable', term: vote.term, votedFor: vote.votedFor });
    if (last !== null) this.#report({ type: 'log.durable', written: last });
    if (stalledForMs !== null) this.#report({ type: 'log.resumed', waitedMs: stalledForMs });
  }

  /**
   * One timer for all syncs: one for each would cost more than the rest of it. Intervals are counted instead of milliseconds,
   * because a process that stood still runs one tick late and not many. The first interval may be shorter, because the timer is running already.
   */
  #look(): void {
    this.#timer = undefined;
    if (this.#phase !== 'syncing' && this.#phase !== 'stalled') return;
    this.#timer = this.#options.clock.setTimeout(() => this.#look(), this.#options.lookEveryMs);
    const extraMs = Math.min(MOST_EXTRA_MS, Math.floor(this.#syncing.bytes / SLOW_DISK_BYTES_PER_MS));
    const isTooLong = this.#phase === 'syncing' && this.#waitedMs >= this.#options.patienceMs + extraMs;
    this.#intervalsWaited += 1;
    if (!isTooLong) return;
    this.#phase = 'stalled';
    this.#report({ type: 'log.stalled', waitedMs: this.#waitedMs });
  }

  get #waitedMs(): number {
    return this.#intervalsWaited * this.#options.lookEveryMs;
  }

  #fail(error: Error): void {
    if (this.#phase === 'over') return;
    this.stop();
    this.#report({ type: 'log.failed', error });
  }
}

/** Runs a log writer for the node's whole life. */
export const logWriter = fromCallback<{ type: 'never' }, { readonly writer: LogWriter }>(({ input, sendBack }) => {
  input.writer.start((report) => sendBack(report));
  return () => input.writer.stop();
});

/**
 * Whether `record` cuts entries up to `last`, which are being made durable. What that sync leaves on the disk is no longer the
 * log, even if the same entries should come once more in a later record (P13).
 */
function cuts(record: LogRecord, last: LogPosition | null): boolean {
  return record.kind === 'truncation' && last !== null && record.from <= last.index;
}

function release(messages: readonly HeldMessage[]): void {
  for (const { outlet, message } of messages) outlet.send(message);
}

function join(group: Group, records: readonly LogRecord[], then: readonly HeldMessage[]): Group {
  let { last, vote, bytes } = group;
  for (const record of records) {
    if (record.kind === 'vote') vote = record;
    if (record.kind !== 'entries') continue;
    last = record.entries.at(-1) ?? last;
    for (const { payload } of record.entries) bytes += payload.byteLength;
  }
  const position = last === null ? null : { index: last.index, term: last.term };
  const content = records.length > 0 || group.content === 'records' ? 'records' : 'messages';
  return { then: then.length === 0 ? group.then : [...group.then, ...then], last: position, vote, content, bytes };
}

/** As `join`, while the disk hangs. */
function joinNewest(group: Group, records: readonly LogRecord[], then: readonly HeldMessage[]): Group {
  const joined = join(group, records, []);
  return { ...joined, then: then.reduce(withNewest, joined.then) };
}

/**
 * While the disk hangs only the newest answer of a kind to each peer is kept: it says all that the ones before it say, and
 * they would be ever more.
 */
function withNewest(waiting: readonly HeldMessage[], { outlet, message }: HeldMessage): readonly HeldMessage[] {
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
