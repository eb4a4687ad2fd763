import { expect, test } from '@jest/globals';
import { createActor, setup } from 'xstate';
import { applier } from '../../actors/applier.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Committed, StateMachine } from '../../src/seams/state-machine.js';
import { MemoryLogStore, Recorder, VirtualClock } from '../../src/testing/index.js';
import { entry } from '../raft/states.js';

/** An applier over a log of `count` entries, whose state machine takes `batchMs` for each batch. */
function applierOver(count: number, batchMs: number, more: Partial<StateMachine<string, number>> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryLogStore();
  store.append([{ kind: 'entries', entries: Array.from({ length: count }, (_, at) => entry(at + 1, 1)) }]);
  const recorder = new Recorder();
  const apply = (batch: readonly Committed<string>[]): readonly number[] => {
    clock.pass(batchMs);
    return recorder.apply(batch);
  };
  const stateMachine = Object.assign(new Recorder(), { apply, ...more });
  const owner = setup({ actors: { applier } }).createMachine({
    invoke: { src: 'applier', id: 'applier', input: { store, stateMachine, clock } },
  });
  const { children } = createActor(owner, { clock }).start().getSnapshot();
  children.applier?.send({ type: 'state.open' });
  const allow = (upTo: number): void => children.applier?.send({ type: 'apply.allowed', upTo: asIndex(upTo) });
  const ask = (index: number): void => children.applier?.send({ type: 'hash.asked', index: asIndex(index) });
  return { clock, allow, ask, applied: () => recorder.commands.length, commands: recorder.commands };
}

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
  expect(new Set(commands)).toEqual(new Set([`${entry(1, 1).payload.byteLength} bytes, in place`]));
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
