import { expect, test } from '@jest/globals';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { ReplicaView } from '../../src/raft/replica-view.js';
import { describe as statusOf } from '../../src/replica/status.js';
import { at, stateOf } from '../raft/states.js';

function receivingOf(installing: ReplicaState['installing']) {
  const state = stateOf({ installing });
  const view = new ReplicaView({ role: () => 'follower', state: () => state });
  const snapshot = { status: 'active', value: { active: 'installing' }, context: { haltedBy: null } };
  return statusOf(view, { clusterId: 'c', version: '1', snapshot }).receiving;
}

test('the status of a node says how much of a snapshot of which peer is here', () => {
  expect(receivingOf(null)).toBeNull();
  expect(receivingOf({ from: 'b', snapshot: at(9, 2), bytes: 100, received: 40 })).toEqual({
    from: 'b',
    index: 9,
    bytes: 40,
    ofBytes: 100,
  });
});
