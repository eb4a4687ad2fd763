import { expect, test } from '@jest/globals';
import { createActor, createMachine } from 'xstate';
import { initialState } from '../../src/raft/replica-state.js';
import { ReplicaView } from '../../src/raft/replica-view.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { explore } from '../../src/testing/index.js';
import { LoneReplica } from '../machines/lone-replica.js';
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
  class FailingState extends ReplicaView {
    isBroken = false;
    override get settings() {
      if (this.isBroken) throw new Error('broken by the test');
      return super.settings;
    }
  }
  const servers = ['a', 'b', 'c'].map((id) => ({ id, address: id }));
  const state = new FailingState('a', initialState('a', servers, DEFAULT_SETTINGS));
  const replica = new LoneReplica({ input: { state } });
  state.isBroken = true;
  replica.actor.getSnapshot().children.electionManager?.send({ type: 'vote.granted' });
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
