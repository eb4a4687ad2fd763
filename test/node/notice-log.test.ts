import { expect, test } from '@jest/globals';
import { NoticeLog } from '../../src/node/notice-log.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';

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

test('each end of a snapshot that is sent has its lines, and what failed is a warning', () => {
  const lines: string[] = [];
  const info = (_fields: object, message: string): void => void lines.push(`info ${message}`);
  const warn = (_fields: object, message: string): void => void lines.push(`warn ${message}`);
  const log = new NoticeLog({ debug: info, info, warn, error: info });
  const [index, bytes] = [asIndex(9), 100];
  log.write({ type: 'snapshot.offered', peer: 'n3', index, bytes });
  log.write({ type: 'snapshot.unreadable', index, reason: 'its end is missing' });
  log.write({ type: 'install.began', from: 'n1', index, bytes });
  log.write({ type: 'install.failed', from: 'n1', index, reason: 'the connection was closed' });
  log.write({ type: 'snapshot.installed', index, term: asTerm(1), bytes });
  expect(lines).toEqual([
    'info peer n3 needs entries that are no longer in the log: it is told to install the snapshot at entry 9, 100 bytes',
    'warn the snapshot at entry 9, which a peer needs, cannot be read: its end is missing; if it is the newest, another one is taken',
    'info receives a snapshot at entry 9 from n1: 100 bytes',
    'warn did not get the snapshot from n1, and tries again: the connection was closed',
    'info has installed a snapshot, and goes on after entry 9',
  ]);
});
