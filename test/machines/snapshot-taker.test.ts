import { describe, expect, test } from '@jest/globals';
import { createActor, setup } from 'xstate';
import { applier } from '../../actors/applier.js';
import type { ApplierEvent } from '../../actors/applier-events.js';
import type { ApplierReport } from '../../actors/events.js';
import { ImageWriting } from '../../actors/image-writing.js';
import { Restoring } from '../../actors/restoring.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../../src/raft/snapshot.js';
import type { SnapshotStore } from '../../src/seams/snapshot-store.js';
import type { Capture, Committed, Restore } from '../../src/seams/state-machine.js';
import { entries } from '../../src/testing/conformance/records-to-write.js';
import { Recorder } from '../../src/testing/recorder.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';

const mark = { index: asIndex(3), term: asTerm(1), timeMs: 3, voters: ['a'] };
const snapshot: Snapshot = { ...mark, bytes: 100 };

/** A store that takes everything at once, and notes how much came in each call. */
function storeOf(written: number[], problem?: Error): Pick<SnapshotStore, 'create'> {
  return {
    create: (_mark, done) =>
      done(undefined, {
        write: (chunks, then) => {
          written.push(chunks.length);
          then(problem);
        },
        finish: (then) => then(undefined, snapshot),
        abort: () => void written.push(-1),
      }),
  };
}

function capturing(chunks: () => Iterable<Uint8Array>, released: string[] = []): Capture {
  return { chunks, release: () => void released.push('released') };
}

describe('an image is written', () => {
  test('P29 a little in each turn of the event loop, however fast the disk is: by bytes, and by the time that a piece takes', () => {
    for (const [size, tookMs, most] of [
      [64 * 1024, 0, 4],
      [100, 1, 2],
      [8 * 1024 * 1024, 0, 1],
    ] as const) {
      const clock = new VirtualClock();
      let slowMs = 0;
      const slow = { ...clockOf(clock), now: () => clock.now() + slowMs };
      const written: number[] = [];
      let turns = 0;
      const next = (run: () => void) => (): void => {
        turns += 1;
        run();
      };
      const counted = { ...slow, defer: (run: () => void) => clock.defer(next(run)) };
      function* chunks() {
        for (let at = 0; at < 12; at += 1) {
          slowMs += tookMs;
          yield new Uint8Array(size);
        }
      }
      let taken: Snapshot | undefined;
      const options = { store: storeOf(written), capture: capturing(chunks), mark, clock: counted };
      new ImageWriting(options, (_error, done) => {
        taken = done;
      }).start();
      clock.runFor(10);
      expect(taken).toBe(snapshot);
      expect(Math.max(...written)).toBe(most);
      expect(turns).toBe(written.length);
    }
  });

  test('and is let go of whatever comes of it: a disk that fails, pieces that are none, or a stop in between', () => {
    const bad = [
      [() => [new Uint8Array(1)], new Error('EIO'), 'EIO'],
      [() => ['text'] as never, undefined, 'expected Uint8Array chunks, got "text"'],
    ] as const;
    for (const [chunks, problem, expected] of bad) {
      const released: string[] = [];
      const clock = new VirtualClock();
      let error: Error | undefined;
      const options = { store: storeOf([], problem), capture: capturing(chunks, released), mark, clock };
      new ImageWriting(options, (failed) => {
        error = failed;
      }).start();
      clock.runFor(5);
      expect(error?.message).toContain(expected);
      expect(released).toEqual(['released']);
    }
    const released: string[] = [];
    const written: number[] = [];
    const capture = capturing(() => [new Uint8Array(1)], released);
    const writing = new ImageWriting({ store: storeOf(written), capture, mark, clock: new VirtualClock() }, () => {
      throw new Error('nothing comes of what was stopped');
    });
    writing.start();
    writing.stop();
    expect([released, written]).toEqual([['released'], [1, -1]]);
  });
});

describe('an image is captured', () => {
  test('P30 between two batches, of exactly the entry that is named with it', async () => {
    const clock = new VirtualClock();
    const store = new MemoryLogStore();
    store.append([entries(1, 3, 1)]);
    let finish: () => void = () => undefined;
    class Slow extends Recorder {
      override apply(batch: readonly Committed<string>[]): never {
        const results = super.apply(batch);
        return new Promise((resolve) => {
          finish = () => resolve(results);
        }) as never;
      }
    }
    const stateMachine = new Slow();
    const reports: ApplierReport[] = [];
    const input = { store, stateMachine, clock, snapshots: {} as SnapshotStore, snapshotLogBytes: 1e9 };
    const parent = setup({ actors: { applier }, types: { events: {} as ApplierReport } }).createMachine({
      invoke: { src: 'applier', id: 'applier', input: input as never },
      on: { '*': { actions: ({ event }) => void reports.push(event) } },
    });
    const actor = createActor(parent).start();
    const tell = (event: ApplierEvent): void => actor.getSnapshot().children.applier?.send(event as never);
    tell({ type: 'state.open' });
    tell({ type: 'apply.allowed', upTo: asIndex(2) });
    tell({ type: 'capture.asked' });
    expect(reports.map(({ type }) => type)).toEqual(['state.opened']);
    finish();
    await new Promise((resolve) => setImmediate(resolve));
    const captured = reports.find(({ type }) => type === 'state.captured') as never as {
      index: number;
      capture: Capture;
    };
    expect(captured.index).toBe(2);
    tell({ type: 'apply.allowed', upTo: asIndex(3) });
    const image = [...captured.capture.chunks()].map((chunk) => new TextDecoder().decode(chunk)).join('');
    expect(JSON.parse(image)).toEqual(['1 of term 1', '2 of term 1']);
    actor.stop();
  });
});

describe('a snapshot is restored', () => {
  const older = { ...snapshot, index: asIndex(2) };
  const damaged = new QuorateError('QUORATE_DATA_DAMAGED', 'snapshot is damaged');
  const pieces: Readonly<Record<number, readonly (Uint8Array | Error)[]>> = {
    3: [new Uint8Array([1]), damaged],
    2: [new Uint8Array([2]), new Uint8Array([3])],
  };
  const store: Pick<SnapshotStore, 'read'> = {
    read: ({ index }, done) => {
      const left = [...(pieces[index] ?? [])];
      const next = (then: (error?: Error, chunk?: Uint8Array) => void): void => {
        const piece = left.shift();
        if (piece instanceof Error) then(piece);
        else then(undefined, piece);
      };
      done(undefined, { next, close: () => undefined });
    },
  };
  const calls: string[] = [];
  const begin = (): Restore => ({
    write: (chunk) => void calls.push(`write ${chunk[0]}`),
    finish: () => void calls.push('finish'),
    abort: () => void calls.push('abort'),
  });

  test('from the newest that is whole: one that turns out to be damaged is given up, and the one before it is taken', () => {
    calls.length = 0;
    let outcome: unknown;
    const clock = new VirtualClock();
    new Restoring({ store, snapshots: [snapshot, older], begin, clock }, (_error, restored) => {
      outcome = restored;
    }).start();
    expect(outcome).toEqual({ snapshot: older, damaged: ['snapshot is damaged'] });
    expect(calls).toEqual(['write 1', 'abort', 'write 2', 'write 3', 'finish']);
  });

  test('P42 once there is a descriptor for its file, where there was none', () => {
    const clock = new VirtualClock();
    let tries = 0;
    const scarce: typeof store = {
      read: (wanted, done) => {
        tries += 1;
        if (tries < 3) done(Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }));
        else store.read(wanted, done);
      },
    };
    let outcome: unknown;
    const done = (error: unknown, restored: unknown): void => {
      outcome = error ?? restored;
    };
    const restoring = new Restoring({ store: scarce, snapshots: [older], begin, clock }, done);
    restoring.start();
    expect([tries, outcome]).toEqual([1, undefined]);
    clock.runFor(1_000);
    expect(outcome).toEqual({ snapshot: older, damaged: [] });
    // One that is stopped asks no more.
    tries = 0;
    const stopped = new Restoring({ store: scarce, snapshots: [older], begin, clock }, done);
    stopped.start();
    stopped.stop();
    clock.runFor(1_000);
    expect(tries).toBe(1);
  });

  test('and what the state machine throws is its own: no other snapshot is tried', () => {
    let failure: Error | undefined;
    const failing = (): Restore => ({
      ...begin(),
      write: () => {
        throw new Error('not mine');
      },
    });
    new Restoring({ store, snapshots: [older, snapshot], begin: failing, clock: new VirtualClock() }, (error) => {
      failure = error;
    }).start();
    expect(failure?.message).toBe("the state machine's restore failed: not mine");
  });
});

function clockOf(clock: VirtualClock) {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (run: () => void, ms: number) => clock.setTimeout(run, ms),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle as never),
    defer: (run: () => void) => clock.defer(run),
  };
}
