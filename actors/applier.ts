import { fromCallback } from 'xstate';
import { invariant } from '../src/raft/invariant.js';
import type { Entry } from '../src/raft/messages.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import { advance, greater, NO_INDEX } from '../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { ReadLimits } from '../src/seams/log-store.js';
import type { ApplierEvent, ApplierInput } from './applier-events.js';
import type { Exceptions } from './applying.js';
import { ApplyFailure, applyBatch, attempt, checkBatch, endOfCareful } from './applying.js';
import { Captures } from './captures.js';
import type { ApplierReport } from './events.js';
import { Hashes } from './hashes.js';
import { openedAt } from './new-state-machines.js';
import type { Restored } from './restoring.js';
import { Restoring, unreachable } from './restoring.js';

type EventOfOpening = Extract<ApplierEvent, { type: 'state.open' }>;

/** Applying gives way to sockets and timers after this long. */
const SPELL_MS = 5;
const BATCH: ReadLimits = { maxEntries: 512, maxBytes: 1024 * 1024 };

/**
 * - `closed`: the log is not readable yet, or the state machine has not said yet how much it has applied
 * - `idle`: all that is allowed is applied
 * - `applying`: a batch is read and applied, or lets sockets and timers have a turn
 * - `waiting`: the log goes on behind a snapshot that is damaged; nothing is applied before a peer's is restored
 * - `restoring`: the state machine takes in a snapshot in place of what it holds
 * - `over`: the state machine cannot go on, or this was stopped
 */
type Phase = 'closed' | 'idle' | 'applying' | 'waiting' | 'restoring' | 'over';

/**
 * Feeds committed entries to the state machine, in batches, giving way every few milliseconds. A synchronous batch costs
 * two events: `apply.allowed` and `log.applied`.
 */
class Applier {
  readonly #options: ApplierInput;
  readonly #report: (report: ApplierReport) => void;
  #phase: Phase = 'closed';
  #applied: Index = NO_INDEX;
  #allowed: Index = NO_INDEX;
  /** Monotonic ms; when this spell of work began. */
  #busySinceMs = 0;
  #restoring: Restoring | undefined;
  /** The log begins anew behind a snapshot, from which the state machine is restored before anything is applied. */
  #isPaused = false;
  #toRestore: Snapshot | undefined;
  readonly #captures: Captures;
  readonly #hashes: Hashes;
  #exceptions: Exceptions = { skips: new Map() };

  constructor(options: ApplierInput, report: (report: ApplierReport) => void) {
    this.#options = options;
    this.#report = report;
    this.#captures = new Captures(options, report);
    this.#hashes = new Hashes(options, report);
  }

  stop(): void {
    this.#phase = 'over';
    this.#restoring?.stop();
  }

  /** The log is readable: finds out what the state machine holds already, restores a snapshot where it needs one, and reports it. */
  open({
    snapshots = [],
    previous = NO_INDEX,
    skips = [],
    inVain,
    damaged: named = [],
  }: Omit<EventOfOpening, 'type'>): void {
    this.#exceptions = { skips: new Map(skips.map((skip) => [skip.index, skip])), inVain };
    attempt(
      () => openedAt(this.#options.stateMachine),
      (applied) => {
        if (this.#phase !== 'closed') return;
        const { stateMachine, snapshots: store, clock } = this.#options;
        const needed =
          applied === NO_INDEX || applied < previous ? snapshots.filter(({ index }) => index > applied) : [];
        const begin = stateMachine.restore?.bind(stateMachine);
        if (needed.length === 0 || begin === undefined || store === undefined) {
          this.#captures.opened(applied, greater(previous, snapshots[0]?.index ?? NO_INDEX));
          if (applied < previous) return this.#lack(applied, previous, named);
          return this.#opened(applied);
        }
        this.#restoring = new Restoring({ store, snapshots: needed, begin, clock }, (error, restored) => {
          if (restored === undefined) return this.#fail(error as Error);
          const { snapshot, damaged } = restored;
          const reached = snapshot?.index ?? applied;
          if (reached < previous) this.#lack(reached, previous, [...named, ...damaged], damaged);
          else this.#opened(reached, restored);
        });
        this.#restoring.start();
      },
      (error) => this.#fail(error),
    );
  }

  /** Nothing here brings the state machine to where the log begins. Where a snapshot is damaged a peer's takes its place. */
  #lack(applied: Index, previous: Index, reasons: readonly string[], damaged: readonly string[] = []): void {
    const { stateMachine, snapshots } = this.#options;
    const lacks = unreachable(stateMachine, previous, reasons);
    if (stateMachine.restore === undefined || snapshots === undefined || reasons.length === 0) return this.#fail(lacks);
    this.#applied = applied;
    this.#phase = 'waiting';
    this.#report({ type: 'state.opened', applied, snapshot: null, damaged, lacks });
  }

  #opened(applied: Index, { snapshot, damaged }: Partial<Restored> = {}): void {
    this.#applied = applied;
    this.#phase = 'idle';
    if (snapshot) this.#captures.restored(snapshot);
    this.#report({ type: 'state.opened', applied, snapshot, damaged });
    this.#hash();
    this.#work();
  }

  /** An image is wanted, of the state between two batches. */
  capture(): void {
    this.#captures.ask();
    if (this.#phase === 'idle') this.#captures.takeIfAsked();
    else if (this.#phase === 'waiting') this.#captures.refuse("its own snapshot is damaged: it waits for the leader's");
    else if (this.#phase !== 'applying' && this.#phase !== 'restoring')
      this.#captures.refuse('the state machine cannot go on');
  }

  captureEnded(snapshot: Snapshot | undefined): void {
    this.#captures.ended(snapshot);
  }

  /** The entries that come next can be read no more: a snapshot stands for them. A batch that is being applied is finished. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Takes in `snapshot` in place of all that the state machine holds. */
  restore(snapshot: Snapshot): void {
    this.#toRestore = snapshot;
    if (this.#phase === 'idle' || this.#phase === 'waiting') this.#rest();
  }

  #rest(): void {
    this.#phase = 'idle';
    const snapshot = this.#toRestore;
    if (snapshot === undefined) return;
    this.#toRestore = undefined;
    const { stateMachine, snapshots: store, clock } = this.#options;
    const begin = stateMachine.restore?.bind(stateMachine);
    if (begin === undefined || store === undefined)
      return this.#fail(unreachable(stateMachine, snapshot.index, ['this node keeps no snapshots']));
    this.#phase = 'restoring';
    this.#restoring = new Restoring({ store, snapshots: [snapshot], begin, clock }, (error, restored) => {
      if (this.#phase !== 'restoring') return;
      if (restored?.snapshot) this.#restored(restored.snapshot);
      else this.#fail(error ?? unreachable(stateMachine, snapshot.index, restored?.damaged ?? []));
    });
    this.#restoring.start();
  }

  /** P30: the state machine and what is known to be applied move in one turn. */
  #restored(snapshot: Snapshot): void {
    this.#applied = snapshot.index;
    this.#isPaused = false;
    this.#phase = 'idle';
    this.#captures.restored(snapshot);
    this.#report({ type: 'state.restored', snapshot });
    this.#captures.takeIfAsked();
    if (this.#hash()) this.#work();
  }

  /** Entries up to `upTo` may be applied. */
  allow(upTo: Index): void {
    if (upTo <= this.#allowed) return;
    this.#allowed = upTo;
    this.#work();
  }

  #work(): void {
    if (this.#phase !== 'idle' || this.#isPaused || this.#allowed <= this.#applied) return;
    this.#phase = 'applying';
    this.#busySinceMs = this.#options.clock.now();
    this.#applyNext();
  }

  /** Reads what comes next and applies it; both may take their time. */
  #applyNext(): void {
    const { store, stateMachine } = this.#options;
    const from = advance(this.#applied, 1);
    const until = endOfCareful(from, this.#hashes.endOfBatch(this.#applied, this.#allowed), this.#exceptions);
    const limits = { ...BATCH, maxEntries: Math.min(BATCH.maxEntries, until - this.#applied) };
    store.read(from, limits, (error, entries) => {
      // Stopped meanwhile: the state machine may be another node's by now.
      if (this.#phase !== 'applying') return;
      if (this.#isPaused) return this.#rest();
      if (entries === undefined || entries.length === 0)
        return this.#fail(error ?? new Error(`entry ${from} is committed but not in the log`));
      attempt(
        () => {
          checkBatch(entries, from, this.#allowed);
          return applyBatch(stateMachine, entries, this.#exceptions.skips);
        },
        (results) => this.#finish(entries, results),
        (failure) => this.#fail(failure),
      );
    });
  }

  #finish(entries: readonly Entry[], results: readonly unknown[]): void {
    if (this.#phase !== 'applying') return;
    const { clock } = this.#options;
    invariant(results.length === entries.length, 'each entry that was applied has its result');
    this.#applied = (entries.at(-1) as Entry).index;
    this.#tellOfSkips(entries);
    this.#report({ type: 'log.applied', entries, results });
    // A snapshot that is due is one of what the chart knows to be applied: it asks for none that it has.
    this.#captures.applied(entries);
    this.#captures.takeIfAsked();
    if (!this.#hash()) return;
    if (this.#isPaused) this.#rest();
    else if (this.#allowed <= this.#applied) this.#phase = 'idle';
    else if (clock.now() - this.#busySinceMs < SPELL_MS) this.#applyNext();
    else
      clock.defer(() => {
        if (this.#phase !== 'applying') return;
        this.#rest();
        this.#work();
      });
  }

  /** The hash after entry `index` is wanted. Nothing more has been applied yet, unless the request is an old one. */
  hash(index: Index): void {
    this.#hashes.ask(index);
    if (this.#phase === 'idle') this.#hash();
  }

  /** False where the state machine cannot go on. */
  #hash(): boolean {
    try {
      this.#hashes.giveAt(this.#applied);
      return true;
    } catch (error) {
      this.#fail(error as Error);
      return false;
    }
  }

  #fail(error: Error): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#captures.refuse('the state machine cannot go on');
    this.#report({ type: 'apply.failed', error, inVain: error instanceof ApplyFailure ? error.inVain : undefined });
  }

  #tellOfSkips(entries: readonly Entry[]): void {
    const { skips } = this.#exceptions;
    if (skips.size === 0) return;
    for (const { index, term } of entries) {
      const skip = skips.get(index);
      if (skip !== undefined) this.#report({ type: 'entry.skipped', index, term, saidAtMs: skip.atMs });
    }
  }
}

/** Runs an applier for the node's whole life. */
export const applier = fromCallback<ApplierEvent, ApplierInput>(({ input, sendBack, receive }) => {
  const running = new Applier(input, sendBack);
  receive((event) => {
    switch (event.type) {
      case 'state.open':
        return running.open(event);
      case 'apply.allowed':
        return running.allow(event.upTo);
      case 'hash.asked':
        return running.hash(event.index);
      case 'apply.paused':
        return running.pause();
      case 'state.restore':
        return running.restore(event.snapshot);
      case 'capture.asked':
        return running.capture();
      case 'capture.ended':
        return running.captureEnded(event.snapshot);
    }
  });
  return () => running.stop();
});
