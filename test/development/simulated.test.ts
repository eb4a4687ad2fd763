import { expect, test } from '@jest/globals';
import { createActor, createMachine } from 'xstate';
import { explore, LoneReplica, VirtualClock } from '../../src/testing/index.js';
import { warnings } from './no-warnings.js';

test('these tests run with the build of XState that warns', () => {
  const actor = createActor(createMachine({})).start();
  actor.stop();
  actor.send({ type: 'too late' });
  expect(warnings.splice(0)).toEqual([expect.stringMatching('"too late" was sent to stopped actor')]);
});

test('twenty seeds run clean, and no actor sends to one that was stopped', () => {
  for (let seed = 1; seed <= 20; seed += 1) expect(explore(seed).outcomeOf('the last')).toBe('acknowledged');
});

test('a manager that fails halts the node, and is told nothing any more', () => {
  class FailingClock extends VirtualClock {
    isBroken = false;
    override now(): number {
      if (this.isBroken) throw new Error('broken by the test');
      return super.now();
    }
  }
  const clock = new FailingClock();
  const replica = new LoneReplica({ input: { clock } });
  replica.pass(10);
  const { electionManager } = replica.actor.getSnapshot().context.managers;
  clock.isBroken = true;
  electionManager.send({ type: 'vote.granted' });
  clock.isBroken = false;
  expect(replica.value).toBe('halted');
  expect(replica.noticesOf('node.halted').map(({ error }) => error.message)).toEqual(['broken by the test']);
});

test('what a disk has synced after the node halted goes nowhere', () => {
  const replica = new LoneReplica();
  replica.send({ type: 'election.timedOut', reason: 'told by the test' });
  replica.send({ type: 'apply.failed', error: new Error('told by the test') });
  replica.pass(100);
  expect(replica.value).toBe('halted');
});
