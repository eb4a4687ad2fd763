import { fromCallback } from 'xstate';
import type { LogRecord } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { DiskError } from '../src/seams/disk.js';
import type { LogStore } from '../src/seams/log-store.js';
import type { LogReport } from './events.js';
import type { Group, HeldMessage } from './write-group.js';
import { cuts, follow, join, joinNewest, NOTHING, withNewest } from './write-group.js';

export interface LogWriterOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  /** How often a sync that is under way is looked at, ms. */
  readonly lookEveryMs: number;
  /** A sync that takes longer than this is one of a disk that hangs, ms; a large one is given more. */
  readonly patienceMs: number;
  /** About this much of the log is kept, whatever a snapshot stands for: for followers that are behind. Default 0. */
  readonly keepBytes?: number;
}

/** A disk that writes this many bytes in a millisecond (16 MiB in a second) is slow, and does not hang. */
const SLOW_DISK_BYTES_PER_MS = 16 * 1024;
/** However much is written, a sync is never waited for longer than by this. */
const MOST_EXTRA_MS = 1_000;

/** Whether a full disk has room again is asked this often, ms. */
const LOOK_FOR_ROOM_EVERY_MS = 1_000;

/**
 * - `opening`: the store recovers what is on disk
 * - `idle`: all that was written is durable
 * - `syncing`: one group is being made durable; the next gathers
 * - `stalled`: the sync does not end (P36)
 * - `full`: the disk has no room for entries that wait; votes are made durable as they come
 * - `over`: it failed, and nothing ever leaves again (P31), or it was stopped
 */
type Phase = 'opening' | 'idle' | 'syncing' | 'stalled' | 'full' | 'over';

/**
 * Owns the order of durability. Records are staged as they come; one sync at a time makes a whole group of them
 * durable, and while it runs the next group gathers. A sync that does not end is reported (P36), and what is written then
 * still waits for it. So do entries while the disk is full, and what vouches for them. After a failure nothing ever leaves again (P31).
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
  /** Since when the disk has been full; undefined while it is not. */
  #fullSinceMs: number | undefined;
  #roomTimer: unknown;

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
    this.#options.clock.clearTimeout(this.#roomTimer);
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
      const isLong = this.#phase === 'stalled' || this.#fullSinceMs !== undefined;
      this.#gathering = isLong ? joinNewest(this.#gathering, records, then) : join(this.#gathering, records, then);
      if (this.#phase === 'full') this.#goOnWhileFull(records.some(({ kind }) => kind === 'vote'));
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
      else if (isStorageFull(error)) this.#noteFull(error);
      else this.#fail(error);
    });
  }

  #synced(): void {
    if (this.#phase === 'over') return;
    const { then, last, vote, installing } = this.#syncing;
    const stalledForMs = this.#phase === 'stalled' ? this.#waitedMs : null;
    const fullSinceMs = this.#fullSinceMs;
    this.#fullSinceMs = undefined;
    release(then);
    const next = this.#gathering;
    this.#gathering = NOTHING;
    if (next.content === 'records') this.#sync(next);
    else {
      this.#phase = 'idle';
      release(next.then);
    }
    // The messages that waited for the disk have left; now the chart learns what is durable.
    if (vote !== null) this.#report({ type: 'vote.durable', term: vote.term, votedFor: vote.votedFor });
    if (last !== null) this.#report({ type: 'log.durable', written: last });
    if (installing !== null) this.#report({ type: 'install.durable', snapshot: installing });
    if (fullSinceMs !== undefined)
      this.#report({ type: 'log.roomMade', fullForMs: this.#options.clock.now() - fullSinceMs });
    else if (stalledForMs !== null) this.#report({ type: 'log.resumed', waitedMs: stalledForMs });
  }

  /** The group's votes are durable, and its entries wait for room, as does what vouches for them. */
  #noteFull(error: Error): void {
    if (this.#phase === 'over') return;
    const { clock } = this.#options;
    const { vote } = this.#syncing;
    const isNew = this.#fullSinceMs === undefined;
    this.#fullSinceMs ??= clock.now();
    const mustSync = this.#gathering.vote !== null;
    this.#gathering = follow(this.#syncing, this.#gathering);
    this.#syncing = NOTHING;
    this.#phase = 'full';
    this.#goOnWhileFull(mustSync);
    this.#roomTimer ??= clock.setTimeout(() => this.#lookForRoom(), LOOK_FOR_ROOM_EVERY_MS);
    if (vote !== null) this.#report({ type: 'vote.durable', term: vote.term, votedFor: vote.votedFor });
    if (isNew) this.#report({ type: 'log.full', error });
  }

  #lookForRoom(): void {
    this.#roomTimer = undefined;
    if (this.#phase === 'full') this.#goOnWhileFull(true);
    else if (this.#fullSinceMs !== undefined)
      this.#roomTimer = this.#options.clock.setTimeout(() => this.#lookForRoom(), LOOK_FOR_ROOM_EVERY_MS);
  }

  /** Lets out what vouches for nothing that waits for room, at once or, where there is a vote, once that is durable. */
  #goOnWhileFull(mustSync: boolean): void {
    const group = this.#gathering;
    if (mustSync) {
      this.#gathering = NOTHING;
      return this.#sync(group);
    }
    this.#gathering = { ...group, vote: null, then: group.then.filter(vouchesForEntries) };
    release(group.then.filter((held) => !vouchesForEntries(held)));
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

const isStorageFull = (error: DiskError): boolean => error.code === 'QUORATE_STORAGE_FULL';

/** An accepted append is answered by way of `write` only where its entries are not durable yet; all else goes by `answer`. */
const vouchesForEntries = ({ message }: HeldMessage): boolean => message.kind === 'append-reply' && message.accepted;

function release(messages: readonly HeldMessage[]): void {
  for (const { outlet, message } of messages) outlet.send(message);
}
