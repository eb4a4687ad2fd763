import { describe, expect, test } from '@jest/globals';
import { forgetStatuses, noteLink, noteStatus, presumeUp, statusAfter } from '../../src/raft/peers.js';
import { stateOf } from './states.js';

const statuses = ({ peers }: ReturnType<typeof stateOf>) => Object.values(peers).map(({ id, status }) => [id, status]);

describe('what a leader takes its peers for', () => {
  test.each([
    [0, 3, 'up'],
    [1, 3, 'suspect'],
    [2, 3, 'suspect'],
    [3, 3, 'down'],
    [9, 3, 'down'],
    [0, 1, 'up'],
    [1, 1, 'down'],
  ] as const)('after %i missed heartbeats of at most %i a peer is %s', (missed, most, status) => {
    expect(statusAfter(missed, most)).toBe(status);
  });

  test('a status is noted for that peer alone, and told with what it missed', () => {
    const { state, effects } = noteStatus(presumeUp(stateOf()), 'b', 'suspect', 2);
    expect(statuses(state)).toEqual([
      ['b', 'suspect'],
      ['c', 'up'],
    ]);
    expect(effects).toEqual([
      { kind: 'notify', notice: { type: 'peer.changed', peer: 'b', status: 'suspect', missed: 2 } },
    ]);
  });

  test('a new leader presumes all to be up; one that no longer leads knows nothing of them', () => {
    const leading = presumeUp(stateOf());
    expect(statuses(leading)).toEqual([
      ['b', 'up'],
      ['c', 'up'],
    ]);
    expect(forgetStatuses(leading)).toEqual(stateOf());
  });

  test('nothing is made up about a server that is no peer, whatever its name', () => {
    const before = stateOf();
    for (const stranger of ['z', 'a', 'constructor']) {
      expect(noteStatus(before, stranger, 'down', 3).state).toBe(before);
      expect(noteLink(before, stranger, true, 'connected')).toEqual({ state: before, effects: [] });
    }
  });
});

describe('our connection to a peer', () => {
  test('is noted and told when it opens and when it closes, with the reason', () => {
    const opened = noteLink(stateOf(), 'b', true, 'connected');
    expect(opened.state.peers.b?.link).toEqual({ open: true, reason: 'connected' });
    expect(opened.effects).toEqual([
      { kind: 'notify', notice: { type: 'link.changed', peer: 'b', open: true, reason: 'connected' } },
    ]);
    const closed = noteLink(opened.state, 'b', false, 'the peer is gone');
    expect(closed.state.peers.b?.link).toEqual({ open: false, reason: 'the peer is gone' });
    expect(closed.state.peers.c).toBe(opened.state.peers.c);
  });

  test('is told once for as long as nothing changes, and again when the reason does', () => {
    const { state } = noteLink(stateOf(), 'b', false, 'no answer in time');
    expect(noteLink(state, 'b', false, 'no answer in time')).toEqual({ state, effects: [] });
    expect(noteLink(state, 'b', false, 'the peer stopped').effects).toHaveLength(1);
  });

  test('says nothing of what a leader counts: the status stays', () => {
    const { state } = noteLink(presumeUp(stateOf()), 'b', false, 'the peer is gone');
    expect(state.peers.b?.status).toBe('up');
  });
});
