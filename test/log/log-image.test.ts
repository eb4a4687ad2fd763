import { describe, expect, test } from '@jest/globals';
import { EntryCache, EntryPositions } from '../../src/log/entry-lookup.js';
import { halted } from '../../src/log/log-failures.js';
import type { LogAccount, LogImage } from '../../src/log/log-image.js';
import {
  checkAccount,
  checkDurable,
  checkRead,
  checkRecord,
  EMPTY_IMAGE,
  violationIn,
  withRecord,
} from '../../src/log/log-image.js';
import { InvariantViolation } from '../../src/raft/invariant.js';
import type { LogRecord } from '../../src/raft/messages.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import { commit, entries, entry, truncation, vote } from '../../src/testing/conformance/records-to-write.js';
import { LogOnDisk } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';

const imageOf = (...records: readonly LogRecord[]): LogImage => records.reduce(withRecord, EMPTY_IMAGE);
const voted = imageOf(vote(3, 'n2'), entries(1, 4, 3), commit(2));
const backInTime: LogRecord = { kind: 'entries', entries: [entry(5, 3), { ...entry(6, 3), timeMs: 7 }] };

const account: LogAccount = {
  appended: voted,
  durable: voted,
  stagedRecords: 0,
  stagedBytes: 0,
  cache: { firstIndex: asIndex(3), lastIndex: asIndex(4) },
  stagedCut: undefined,
  stagedBeginning: undefined,
};

/** One law each, by what breaks it. */
const broken: readonly (readonly [string, () => void])[] = [
  ['§5.1: a term that was written', () => checkRecord(voted, vote(2, null))],
  ['§5.2: one vote in a term', () => checkRecord(voted, vote(3, 'n1'))],
  ['§5.2: one vote in a term', () => checkRecord(voted, vote(3, null))],
  ['a truncation begins within the log', () => checkRecord(voted, truncation(6))],
  ["the time that a leader's entries carry", () => checkRecord(voted, backInTime)],
  ['§5.1: a durable term', () => checkDurable(voted, imageOf(vote(2, null), entries(1, 4, 2), commit(2)))],
  ['P17: a commit index', () => checkDurable(voted, { ...voted, commitIndex: asIndex(1) })],
  ['P16: nothing beyond the end', () => checkDurable(voted, { ...voted, commitIndex: asIndex(5) })],
  [
    'the cache ends where the log ends',
    () => checkAccount({ ...account, cache: { firstIndex: asIndex(3), lastIndex: asIndex(3) } }),
  ],
  ['P13: what is not on disk yet', () => checkAccount({ ...account, durable: imageOf(vote(3, 'n2')) })],
  ['P13: what is not on disk yet', () => checkAccount({ ...account, stagedRecords: 1, stagedCut: asIndex(2) })],
  ['only records that wait', () => checkAccount({ ...account, stagedBytes: 100 })],
  ['a truncation waits for the disk', () => checkAccount({ ...account, stagedCut: asIndex(4) })],
  [
    'a sync makes everything durable',
    () => checkAccount({ ...account, durable: imageOf(vote(3, 'n2'), entries(1, 3, 3)) }),
  ],
  ['entries that are read follow', () => checkRead([entry(3, 1), entry(5, 1)], asIndex(3), asIndex(9))],
  ['a read ends where newer', () => checkRead([entry(3, 1), entry(4, 1)], asIndex(3), asIndex(3))],
  ['entries in memory follow', () => new EntryCache(100).add([entry(2, 1)])],
  ['a log is only ever written at its end', () => positions().wrote(asIndex(9), 2, 4_000)],
  ['a log is only ever written at its end', () => positions().wrote(asIndex(9), 1, 9_000)],
  ['entries are written behind', () => positions().wrote(asIndex(5), 2, 6_000)],
];

/** A mark for entry 5, at 5,000 in segment 2. */
function positions(): EntryPositions {
  const made = new EntryPositions();
  made.wrote(asIndex(5), 2, 5_000);
  return made;
}

describe('the laws of the log', () => {
  test.each(broken)('%s …: a state that breaks it is found', (law, breakIt) => {
    const found = violationIn(breakIt);
    expect(found).toBeInstanceOf(InvariantViolation);
    expect(found?.message).toContain(law);
  });

  test('a state that keeps them all passes', () => {
    checkRecord(voted, vote(3, 'n2'));
    checkRecord(voted, vote(4, null));
    checkRecord(imageOf(vote(3, null)), vote(3, 'n2'));
    checkRecord(voted, truncation(5));
    checkDurable(EMPTY_IMAGE, voted);
    checkAccount(account);
    checkAccount({
      ...account,
      stagedRecords: 1,
      stagedBytes: 9,
      stagedCut: asIndex(4),
      durable: imageOf(entries(1, 9, 1)),
    });
    checkRead([], asIndex(3), asIndex(2));
    positions().wrote(asIndex(6), 2, 5_000);
  });

  test('only broken laws are caught, and no other error', () => {
    const other = (): void => {
      throw new TypeError('another');
    };
    expect(() => violationIn(other)).toThrow('another');
    expect(violationIn(() => undefined)).toBeUndefined();
  });
});

test('P1 a log takes no second vote in a term, and stays as it was', () => {
  const disk = quickDisk();
  const log = new LogOnDisk(disk).write(vote(3, 'n2'));
  expect(() => log.write(vote(3, 'n1'))).toThrow('one vote in a term');
  log.close();
  expect(new LogOnDisk(disk).recovered).toMatchObject({ term: 3, votedFor: 'n2' });
});

test('a cut is forgotten once its record is written, so that what is durable leaves the memory again', () => {
  const log = new LogOnDisk(quickDisk(), { cacheBytes: 1_000 });
  log
    .write(entries(1, 4, 1))
    .write(truncation(3))
    .write(entries(3, 1, 2));
  expect(log.texts()).toEqual(['1 of term 1', '2 of term 1', '3 of term 2']);
});

test('a broken law halts the log with words of its own: no disk is to be mended', () => {
  const { code, message } = halted(new InvariantViolation('§5.2: one vote in a term'));
  expect(code).toBe('QUORATE_HALTED');
  expect(message).toContain('§5.2: one vote in a term');
  expect(message).toContain("a mistake of Quorate's own");
  expect(message).not.toContain('Mend the disk');
});
