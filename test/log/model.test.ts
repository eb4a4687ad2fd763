import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { termAt } from '../../src/raft/log-shape.js';
import type { Entry, LogRecord } from '../../src/raft/messages.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Recovered } from '../../src/seams/log-store.js';
import { commit, entries, truncation, vote } from '../../src/testing/conformance/records-to-write.js';
import { SEGMENT_BYTES } from './log-on-disk.js';
import { SlowDisk } from './slow-disk.js';

/** What records add up to, said in the plainest way. */
interface Model {
  readonly entries: readonly Entry[];
  readonly term: number;
  readonly votedFor: string | null;
  readonly commitIndex: number;
}

const NOTHING: Model = { entries: [], term: 0, votedFor: null, commitIndex: 0 };

function withRecord(model: Model, record: LogRecord): Model {
  switch (record.kind) {
    case 'entries':
      return { ...model, entries: [...model.entries, ...record.entries] };
    case 'truncation':
      return { ...model, entries: model.entries.slice(0, record.from - 1) };
    case 'vote':
      return { ...model, term: record.term, votedFor: record.votedFor };
    case 'commit':
      return { ...model, commitIndex: Math.max(model.commitIndex, Math.min(record.index, model.entries.length)) };
    case 'installing':
    case 'installed':
      throw new Error('snapshots are told elsewhere');
    case 'skip':
    case 'applied-in-vain':
      return model;
  }
}

type Step =
  | { readonly kind: 'append'; readonly count: number; readonly bytes: number; readonly newTerm: boolean }
  | { readonly kind: 'truncate' | 'commit' | 'read'; readonly part: number }
  | { readonly kind: 'vote' | 'sync' | 'finishAll' }
  | { readonly kind: 'end'; readonly how: 'crash' | 'kill' | 'close'; readonly stepsOfRecovery: number }
  | { readonly kind: 'disk'; readonly steps: number };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      count: fc.integer({ min: 1, max: 6 }),
      bytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(6_000)),
      newTerm: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('truncate' as const, 'read' as const), part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('commit' as const), part }) },
  {
    weight: 9,
    arbitrary: fc.record({ kind: fc.constantFrom('vote' as const, 'sync' as const, 'finishAll' as const) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('disk' as const), steps: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      how: fc.constantFrom('crash' as const, 'kill' as const, 'close' as const),
      stepsOfRecovery: fc.integer({ min: 0, max: 30 }),
    }),
  },
);

/** A log and its model, side by side. */
class Pair {
  readonly #disk: SlowDisk;
  #log: SegmentedLog;
  /** What the log may be found to be after a crash: what was acknowledged, and then each batch handed to the disk since. */
  #possible: Model[] = [NOTHING];
  #appended: Model = NOTHING;
  #term = 1;
  #isSyncing = false;

  /** What it adds up to after each record since the last sync. */
  #staged: Model[] = [];
  readonly #batchBytes: number | undefined;

  constructor(seed: number, batchBytes: number | undefined) {
    this.#batchBytes = batchBytes;
    this.#disk = new SlowDisk(seed);
    this.#log = this.#recover();
  }

  take(taken: Step): void {
    switch (taken.kind) {
      case 'append': {
        if (taken.newTerm) this.#term += 1;
        const from = this.#appended.entries.length + 1;
        return this.#append(entries(from, taken.count, this.#term, new Uint8Array(taken.bytes).fill(this.#term)));
      }
      case 'truncate': {
        const { commitIndex, entries: all } = this.#appended;
        const from = commitIndex + 1 + Math.floor(taken.part * (all.length - commitIndex));
        this.#term += 1;
        return this.#append(truncation(from));
      }
      case 'commit':
        return this.#append(commit(Math.floor(taken.part * (this.#appended.entries.length + 3))));
      case 'vote':
        this.#term += 1;
        return this.#append(vote(this.#term, this.#term % 2 === 0 ? `n${this.#term}` : null));
      case 'sync':
        return this.#sync();
      case 'read':
        return this.#read(1 + Math.floor(taken.part * this.#appended.entries.length));
      case 'disk':
        return this.#disk.steps(taken.steps);
      case 'finishAll':
        this.#disk.finishAll();
        return this.#read(1 + (this.#term % (this.#appended.entries.length + 1)));
      case 'end':
        return this.#end(taken.how, taken.stepsOfRecovery);
    }
  }

  #append(record: LogRecord): void {
    this.#log.append([record]);
    this.#appended = withRecord(this.#appended, record);
    this.#staged.push(this.#appended);
  }

  #sync(): void {
    if (this.#isSyncing) return;
    const handed = this.#appended;
    this.#isSyncing = true;
    // In several batches, a crash may leave any number of the first ones.
    this.#possible.push(...(this.#batchBytes === undefined ? [handed] : [...this.#staged, handed]));
    this.#staged = [];
    this.#log.sync((error) => {
      expect(error).toBeUndefined();
      this.#isSyncing = false;
      this.#possible = [handed];
    });
  }

  #read(from: number): void {
    const expected = this.#appended.entries;
    let isAnswered = false;
    this.#log.read(asIndex(from), { maxEntries: 4, maxBytes: 900 }, (error, found) => {
      expect(error).toBeUndefined();
      expect(found?.length).toBeGreaterThan(from <= expected.length ? 0 : -1);
      expect(found).toEqual(expected.slice(from - 1, from - 1 + (found?.length ?? 0)));
      isAnswered = true;
    });
    this.#disk.finishAll();
    expect(isAnswered).toBe(true);
  }

  #end(how: 'crash' | 'kill' | 'close', stepsOfRecovery: number): void {
    if (how === 'close') {
      this.#disk.finishAll();
      this.#possible = [this.#appended];
      this.#log.close((error) => expect(error).toBeUndefined());
      this.#disk.finishAll();
    } else this.#disk[how]();
    // A recovery is cut short too.
    new SegmentedLog(this.#options).open(() => undefined);
    this.#disk.steps(stepsOfRecovery);
    this.#disk.crash();
    this.#log = this.#recover();
  }

  #recover(): SegmentedLog {
    const log = new SegmentedLog(this.#options);
    const recoveries: Recovered[] = [];
    log.open((error, found) => {
      expect(error).toBeUndefined();
      if (found !== undefined) recoveries.push(found);
    });
    this.#disk.finishAll();
    const [recovered] = recoveries;
    if (recovered === undefined) throw new Error('the log did not open');
    const found = this.#possible.filter((model) => isSame(model, recovered));
    expect(found).not.toEqual([]);
    this.#appended = found.at(-1) ?? NOTHING;
    this.#possible = [this.#appended];
    this.#isSyncing = false;
    this.#staged = [];
    this.#log = log;
    for (let at = 1; at <= this.#appended.entries.length; at += 4) this.#read(at);
    return log;
  }

  get #options() {
    const given = this.#batchBytes === undefined ? {} : { batchBytes: this.#batchBytes };
    return { disk: this.#disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1_500, ...given };
  }
}

function isSame(model: Model, { term, votedFor, commitIndex, log }: Recovered): boolean {
  const shape = model.entries.every((entry) => termAt(log, entry.index) === entry.term);
  const isLength = log.lastIndex === model.entries.length && log.durableIndex === log.lastIndex;
  return isLength && shape && term === model.term && votedFor === model.votedFor && commitIndex === model.commitIndex;
}

test.each([undefined, 1, 700])(
  'P13 P15 P17 P32 whatever is appended, cut, synced, crashed and killed: the log is what was acknowledged, or one of the batches (of %p bytes) under way',
  (batchBytes) => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { minLength: 5, maxLength: 60 }), (seed, steps) => {
        const pair = new Pair(seed, batchBytes);
        for (const taken of steps) pair.take(taken);
        pair.take({ kind: 'end', how: 'crash', stepsOfRecovery: 5 });
      }),
      { numRuns: 150, seed: 20_261_124 },
    );
  },
);
