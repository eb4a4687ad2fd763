import { expect, test } from '@jest/globals';
import { NoticeLog } from '../../src/node/notice-log.js';

type Status = 'up' | 'suspect' | 'down';

/** The lines of a log that are shown by default. */
function linesFor(notices: readonly (readonly [peer: string, status: Status])[]): readonly string[] {
  const lines: string[] = [];
  const note = (_fields: object, message: string): void => void lines.push(message);
  const log = new NoticeLog({ debug: () => undefined, info: note, warn: note, error: note });
  for (const [peer, status] of notices) log.write({ type: 'peer.changed', peer, status, missed: 3 });
  return lines;
}

test('that a peer is up is said once, however often it is a heartbeat late, and again after it was down', () => {
  const late = [
    ['n3', 'suspect'],
    ['n3', 'up'],
  ] as const;
  expect(linesFor([...late, ...late, ['n2', 'up'], ['n3', 'down'], ['n3', 'up'], ...late])).toEqual([
    'peer n3 is up',
    'peer n2 is up',
    'peer n3 is down: 3 heartbeats unanswered',
    'peer n3 is up',
  ]);
});

test('that a peer is down is said each time', () => {
  expect(
    linesFor([
      ['n3', 'down'],
      ['n3', 'down'],
    ]),
  ).toHaveLength(2);
});
