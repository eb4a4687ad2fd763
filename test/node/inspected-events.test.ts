import { expect, test } from '@jest/globals';
import { isQuietEvent } from '../../src/node/inspected-events.js';

test.each([
  ['a heartbeat', { kind: 'append', entries: [] }, true],
  ['an append', { kind: 'append', entries: [{}] }, false],
  ['an answer to either', { kind: 'append-reply', accepted: true }, true],
  ['a refusal', { kind: 'append-reply', accepted: false }, false],
  ['an order to install, which comes with each heartbeat', { kind: 'install' }, true],
  ['a request for a vote', { kind: 'vote' }, false],
])('%s of a peer comes all the time, or does not', (_, message, isQuiet) => {
  expect(isQuietEvent({ type: 'peer.received', message })).toBe(isQuiet);
});

test('so do timers that start anew, and what is asked at each of them; not what somebody may look for', () => {
  for (const type of ['beat', 'sockets.read', 'silence.asked', 'install.ordered', 'xstate.after.100.replica'])
    expect([type, isQuietEvent({ type })]).toEqual([type, true]);
  for (const type of ['election.asked', 'install.began', 'install.failed', 'log.stalled'])
    expect([type, isQuietEvent({ type })]).toEqual([type, false]);
});
