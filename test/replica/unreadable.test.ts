import { expect, test } from '@jest/globals';
import { createActor } from 'xstate';
import { replicaMachine } from '../../machines/index.js';
import type { QuorateError } from '../../src/errors/quorate-error.js';
import { Replica } from '../../src/replica/replica.js';
import { Recorder, replicaInput, VirtualClock } from '../../src/testing/index.js';

/** A replica whose state machine is open when `opened` is called. */
function lone() {
  let opened = (_applied: number): void => undefined;
  const opening = new Promise<number>((resolve) => {
    opened = resolve;
  });
  const clock = new VirtualClock();
  const stateMachine = Object.assign(new Recorder(), { open: () => opening });
  const input = { ...replicaInput({ id: 'a', replicas: 'abc', clock }), stateMachine };
  const actor = createActor(replicaMachine, { input: input as never, clock });
  const replica = new Replica({
    actor,
    log: input.log,
    resultCodec: stateMachine.resultCodec,
    clock,
    chance: 0,
    noticed: () => undefined,
    failed: () => undefined,
  });
  actor.start();
  clock.runFor(10);
  const readStale = (): QuorateError | undefined | null => {
    let outcome: QuorateError | undefined | null = null;
    replica.read({
      consistency: 'stale',
      timeoutMs: 1_000,
      signal: undefined,
      done: (error) => {
        outcome = error;
      },
    });
    return outcome;
  };
  return { actor, readStale, replica, opened: () => opened(0) };
}

test('nothing is read of a state machine that is not open yet, and stale reads are answered as soon as it is', async () => {
  const { readStale, replica, opened } = lone();
  expect(replica.view.role).toBe('recovering');
  expect(readStale()).toMatchObject({ code: 'QUORATE_NO_LEADER', message: expect.stringContaining('recovering') });
  opened();
  await new Promise(setImmediate);
  expect(replica.view).toMatchObject({ role: 'follower', leaderId: null });
  expect(readStale()).toBeUndefined();
});

test('a replica that halted before its state machine was open says why; one that was open is read as it is', async () => {
  const early = lone();
  early.actor.send({ type: 'log.failed', error: new Error('the disk is gone') });
  expect(early.readStale()).toMatchObject({ code: 'QUORATE_HALTED' });
  const late = lone();
  late.opened();
  await new Promise(setImmediate);
  late.actor.send({ type: 'log.failed', error: new Error('the disk is gone') });
  expect(late.replica.view.role).toBe('halted');
  expect(late.readStale()).toBeUndefined();
});
