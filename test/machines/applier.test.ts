import { expect, test } from '@jest/globals';
import { createActor, setup } from 'xstate';
import { applier } from '../../actors/applier.js';
import type { ApplierReport } from '../../actors/events.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { WrongState } from '../../src/raft/comparing.js';
import type { AppliedInVain, Skip } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { checksumOf } from '../../src/raft/skipping.js';
import type { Committed, StateMachine } from '../../src/seams/state-machine.js';
import { MemoryLogStore, Recorder, VirtualClock } from '../../src/testing/index.js';
import { entry } from '../raft/states.js';

/** An applier over a log of `count` entries, whose state machine takes `batchMs` for each batch. */
function applierOver(
  count: number,
  batchMs: number,
  more: Partial<StateMachine<string, number>> = {},
  opening: { readonly skips?: readonly Skip[]; readonly inVain?: AppliedInVain } = {},
  endsWithNoOp = false,
) {
  const clock = new VirtualClock();
  const store = new MemoryLogStore();
  store.append([
    { kind: 'entries', entries: Array.from({ length: count }, (_, at) => entry(at + 1, 1, String(at + 1))) },
  ]);
  if (endsWithNoOp) store.append([{ kind: 'entries', entries: [{ ...entry(count + 1, 1, ''), kind: 'no-op' }] }]);
  const recorder = new Recorder();
  const apply = (batch: readonly Committed<string>[]): readonly number[] => {
    clock.pass(batchMs);
    return recorder.apply(batch);
  };
  const stateMachine = Object.assign(new Recorder(), { apply, ...more });
  const reports: ApplierReport[] = [];
  const owner = setup({ types: { events: {} as ApplierReport }, actors: { applier } }).createMachine({
    on: { '*': { actions: ({ event }) => void reports.push(event) } },
    invoke: { src: 'applier', id: 'applier', input: { store, stateMachine, clock } },
  });
  const actor = createActor(owner, { clock }).start();
  const { children } = actor.getSnapshot();
  children.applier?.send({ type: 'state.open', ...opening });
  const allow = (upTo: number): void => children.applier?.send({ type: 'apply.allowed', upTo: asIndex(upTo) });
  const ask = (index: number): void => children.applier?.send({ type: 'hash.asked', index: asIndex(index) });
  const told = (): readonly ApplierReport[] =>
    reports.filter(({ type }) => type === 'entry.skipped' || type === 'apply.failed');
  return {
    clock,
    store,
    actor,
    allow,
    ask,
    told,
    applied: () => recorder.commands.length,
    commands: recorder.commands,
  };
}

test('P51 a read that ends after it was stopped brings the state machine nothing', () => {
  const { store, actor, allow, applied } = applierOver(3, 0);
  const held: (() => void)[] = [];
  const read = store.read.bind(store);
  store.read = (...args) => void held.push(() => read(...args));
  allow(3);
  expect(held).toHaveLength(1);
  actor.stop();
  held[0]?.();
  expect(applied()).toBe(0);
});

test('sockets and timers get a turn after 5 ms of applying, and the rest is applied after it', () => {
  // Each batch has 512 entries.
  const { clock, allow, applied } = applierOver(4 * 512, 3);
  const turns: number[] = [];
  clock.defer(() => turns.push(applied()));
  allow(4 * 512);
  expect(applied()).toBe(2 * 512);
  clock.advanceToNext();
  expect(turns).toEqual([2 * 512]);
  clock.runFor(0);
  expect(applied()).toBe(4 * 512);
});

test('what takes less is applied in one go', () => {
  const { allow, applied } = applierOver(4 * 512, 1);
  allow(4 * 512);
  expect(applied()).toBe(4 * 512);
});

test('a state machine that decodes in place gets its commands that way', () => {
  const { allow, commands } = applierOver(3, 1, { decodeInPlace: ({ byteLength }) => `${byteLength} bytes, in place` });
  allow(3);
  expect(new Set(commands)).toEqual(new Set(['1 bytes, in place']));
  expect(commands.length).toBe(3);
});

test('a hash is taken after exactly the entry at which it is wanted, whatever the batches, and at once where that was the last', () => {
  const at: number[] = [];
  const { allow, ask, applied } = applierOver(600, 1, {
    hash: () => {
      at.push(applied());
      return new Uint8Array([at.length]);
    },
  });
  ask(200);
  ask(300);
  allow(600);
  expect(at).toEqual([300]);
  ask(600);
  expect(at).toEqual([300, 600]);
  ask(599);
  expect(at).toEqual([300, 600]);
  expect(applied()).toBe(600);
});

test.each([0, 2])(
  'a state machine that gives %i results for one command is not believed, beside an entry that is none',
  (count) => {
    const { allow, told } = applierOver(1, 1, { apply: () => Array.from({ length: count }, () => 7) }, {}, true);
    allow(2);
    expect(told()).toMatchObject([
      { type: 'apply.failed', error: { message: `the state machine gave ${count} results for 1 commands` } },
    ]);
  },
);

test('a state whose hash cannot be taken is a wrong one: nobody is to read it', () => {
  const broken = new QuorateError('QUORATE_DATA_DAMAGED', 'the memory has changed');
  for (const [thrown, message] of [
    [broken, 'the memory has changed'],
    [new Error('lost'), "the state machine's hash failed after entry 1: lost"],
  ] as const) {
    const { allow, ask, told } = applierOver(1, 1, {
      hash: () => {
        throw thrown;
      },
    });
    ask(1);
    allow(1);
    expect(told()).toMatchObject([{ type: 'apply.failed', error: { message, cause: thrown } }]);
    expect((told()[0] as { error?: Error }).error).toBeInstanceOf(WrongState);
  }
});

test('a command that an operator skipped is not given to the state machine, and those around it are', () => {
  const skips = [3, 5].map((index) => skipOf(index));
  const { allow, commands, told } = applierOver(6, 1, {}, { skips });
  allow(6);
  expect(commands).toEqual(['1', '2', '4', '6']);
  expect(told()).toMatchObject([
    { type: 'entry.skipped', index: 3, term: 1, saidAtMs: 7 },
    { type: 'entry.skipped', index: 5 },
  ]);
});

test('where an operator meant another entry than is there, the node halts', () => {
  for (const wrong of [{ term: asTerm(2) }, { checksum: 1 }]) {
    const { allow, applied, told } = applierOver(6, 1, {}, { skips: [{ ...skipOf(3), ...wrong }] });
    allow(6);
    expect(applied()).toBe(0);
    expect(told()).toMatchObject([
      { type: 'apply.failed', error: { message: expect.stringMatching(/entry 3 was to be skipped/) } },
    ]);
  }
});

test('a batch that fails names its entries, and after a restart they are applied one by one, until the one that fails', () => {
  const poisoned = { apply: failAt('4') };
  const first = applierOver(6, 1, poisoned);
  first.allow(6);
  const inVain = { kind: 'applied-in-vain', from: asIndex(1), to: asIndex(6) } as const;
  expect(first.told()).toMatchObject([
    {
      type: 'apply.failed',
      inVain,
      error: { message: expect.stringMatching(/failed at one of the entries 1 to 6: boom/) },
    },
  ]);
  const second = applierOver(6, 1, { apply: failAt('4') }, { inVain });
  second.allow(6);
  expect(second.told()).toMatchObject([
    {
      type: 'apply.failed',
      inVain: { from: 4, to: 4 },
      error: { message: expect.stringMatching(/failed at entry 4: boom. Its command is "4" \(1 bytes\)/) },
    },
  ]);
});

const failAt =
  (poison: string) =>
  (batch: readonly Committed<string>[]): readonly number[] =>
    batch.map(({ command, index }) => {
      if (command === poison) throw new Error('boom');
      return index;
    });

function skipOf(index: number): Skip {
  const payload = new TextEncoder().encode(String(index));
  return { kind: 'skip', index: asIndex(index), term: asTerm(1), checksum: checksumOf(payload), atMs: 7 };
}
