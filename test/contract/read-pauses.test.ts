import { expect, test } from '@jest/globals';
import { ReadPauses } from '../../src/http/read-pauses.js';

test('a socket rests while there is any reason to, and goes on once when the last is gone', () => {
  const calls: string[] = [];
  const rests = new ReadPauses({ pause: () => void calls.push('pause'), resume: () => void calls.push('resume') });
  rests.begin('turn');
  rests.begin('unread');
  rests.begin('unread');
  rests.end('turn');
  rests.end('turn');
  expect([calls, rests.has('turn'), rests.has('unread')]).toEqual([['pause'], false, true]);
  rests.end('unread');
  rests.end('unread');
  rests.begin('turn');
  expect(calls).toEqual(['pause', 'resume', 'pause']);
});
