import { describe, expect, test } from '@jest/globals';
import { Feed, feedRows } from '../../src/pages/dashboard/model/feed.js';
import type { NodeNews } from '../../src/report/node-report.js';

const AT = 1_800_000_000_000;

const news = (sequence: number, afterMs: number, text: string, tone: NodeNews['tone'] = 'neutral'): NodeNews => ({
  sequence,
  atMs: AT + afterMs,
  event: 'some.event',
  term: 1,
  tone,
  text,
  details: {},
});

const texts = (feed: Feed, only: string | null = null): readonly string[] =>
  feedRows(feed.items, only).map((row) =>
    row.kind === 'quiet' ? `(${row.text})` : `${row.main}${row.count > 1 ? ` ×${row.count}` : ''}`,
  );

describe('the feed', () => {
  test('orders the news of all nodes by time, newest first, and takes each once, also after a reconnect', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 10, 'n1 is first.'), 0);
    feed.heard('n2', news(1, 5, 'n2 was earlier.'), 0);
    feed.heard('n1', news(1, 10, 'n1 is first.'), 0);
    expect(texts(feed)).toEqual(['n1 is first.', 'n2 was earlier.']);
  });

  test('a node that was restarted counts from 1 again, and its news are new', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'n1 listens.'), 0);
    feed.heard('n1', news(1, 40_000, 'n1 listens.'), 0);
    expect(feed.items).toHaveLength(2);
  });

  test("the clocks' difference is taken off before news are ordered", () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'n1 was first.'), 5_000);
    feed.heard('n2', news(1, 1_000, 'n2 followed.'), 0);
    expect(texts(feed)).toEqual(['n1 was first.', 'n2 followed.']);
  });

  test('failures that repeat are one row with a count, at the newest time; numbers may differ', () => {
    const feed = new Feed();
    for (let at = 0; at < 22; at += 1)
      feed.heard('n2', news(at + 1, at * 100, `A put ended after ${at}.0 s.`, 'danger'), 0);
    expect(texts(feed)).toEqual(['A put ended after 21.0 s. ×22']);
  });

  test('how long repeats have gone on is told in minutes where it is long', () => {
    const feed = new Feed();
    const tell = (at: number): void => feed.heard('n2', news(at, at * 10_000, 'A put ended.', 'danger'), 0);
    for (let at = 1; at <= 10; at += 1) tell(at);
    const repeats = () => feedRows(feed.items, null).flatMap((row) => (row.kind === 'news' ? row.repeats : []));
    expect(repeats()).toEqual(['10 times in 90 s']);
    for (let at = 11; at <= 13; at += 1) tell(at);
    expect(repeats()).toEqual(['13 times in 2 min']);
  });

  test('what a node tells of itself stands for what others tell of it in the same words', () => {
    const feed = new Feed();
    const halted = news(1, 10, 'n3 has halted: EIO.', 'danger');
    feed.heard('n1', { ...halted, event: 'peer.halted' }, 0);
    feed.heard('n2', { ...halted, event: 'peer.halted', atMs: AT + 20 }, 0);
    feed.heard('n3', { ...halted, event: 'node.halted', atMs: AT + 100 }, 0);
    const [row, ...others] = feedRows(feed.items, null);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ item: { from: 'n3', event: 'node.halted', atMs: AT + 10 }, reporter: null, count: 1 });
  });

  test('what happens to different peers, or after a success, is no repeat', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'The link to n2 broke.'), 0);
    feed.heard('n1', news(2, 1, 'The link to n3 broke.'), 0);
    feed.heard('n1', news(3, 2, 'n1 leads in term 2.', 'accent'), 0);
    feed.heard('n1', news(4, 3, 'The link to n2 broke.'), 0);
    feed.heard('n1', news(5, 4, 'n1 leads in term 3.', 'accent'), 0);
    expect(texts(feed)).toHaveLength(5);
  });

  test('a peer and a link that come and go are a row each for what fails and what ends it', () => {
    const feed = new Feed();
    const told = (sequence: number, at: number, event: string, text: string, tone: NodeNews['tone']): void =>
      feed.heard('n1', { ...news(sequence, at, text, tone), event }, 0);
    for (let at = 0; at < 4; at += 1) {
      told(
        at * 4 + 1,
        at * 6_000,
        'link.changed',
        'The link to n3 broke: connection reset. It dials again.',
        'neutral',
      );
      told(at * 4 + 2, at * 6_000 + 10, 'peer.changed', 'n3 is down: 3 heartbeats unanswered.', 'danger');
      told(at * 4 + 3, at * 6_000 + 2_000, 'peer.changed', `n3 is back: it answers again after ${at} ms.`, 'accent');
      told(at * 4 + 4, at * 6_000 + 2_010, 'link.changed', `The link to n3 is open again after ${at} ms.`, 'neutral');
    }
    const rows = feedRows(feed.items, null).flatMap((row) => (row.kind === 'news' ? [[row.main, row.repeats]] : []));
    expect(rows).toEqual([
      ['The link to n3 is open again after 3 ms.', '4 times in 18 s'],
      ['n3 is back: it answers again after 3 ms.', '4 times in 18 s'],
      ['n3 is down: 3 heartbeats unanswered.', '4 times in 18 s'],
      ['The link to n3 broke: connection reset. It dials again.', '4 times in 18 s'],
    ]);
    told(17, 21_000, 'role.changed', 'n1 leads in term 2.', 'accent');
    told(18, 21_100, 'peer.changed', 'n3 is down: 3 heartbeats unanswered.', 'danger');
    expect(texts(feed)[0]).toBe('n3 is down: 3 heartbeats unanswered.');
  });

  test('what several nodes tell within a second is one row with all of them', () => {
    const feed = new Feed();
    const broke = (from: string, at: number): void =>
      feed.heard(from, { ...news(at + 1, at, 'The link to n5 broke: connection reset.'), event: 'link.changed' }, 0);
    for (const [at, from] of ['n3', 'n1', 'n2'].entries()) broke(from, at * 20);
    expect(feedRows(feed.items, null)).toMatchObject([{ count: 1, repeats: null, reporter: 'n1, n2, n3' }]);
    broke('n1', 5_000);
    broke('n3', 5_100);
    expect(feedRows(feed.items, null)).toMatchObject([{ count: 2, repeats: 'twice in 5.0 s', reporter: 'n1, n3' }]);
    broke('n4', 9_000);
    expect(feedRows(feed.items, null)).toHaveLength(2);
  });

  test('a quiet spell is a separator that says how long', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'n1 leads.'), 0);
    feed.heard('n1', news(2, 4 * 60_000 + 1_000, 'n1 sees n2.'), 0);
    feed.heard('n1', news(3, 3.2 * 3_600_000, 'n1 still leads.'), 0);
    const expected = [
      'n1 still leads.',
      '(3 hours without a change)',
      'n1 sees n2.',
      '(4 minutes without a change)',
      'n1 leads.',
    ];
    expect(texts(feed)).toEqual(expected);
  });

  test('a term began with the first that was told of its election, not with one of another term', () => {
    const feed = new Feed();
    const of = (sequence: number, afterMs: number, event: string, term: number): NodeNews => ({
      ...news(sequence, afterMs, ''),
      event,
      term,
    });
    feed.heard('n1', of(1, 0, 'election.started', 12), 0);
    expect(feed.termBegan(1)).toBeNull();
    feed.heard('n1', of(2, 10, 'link.changed', 1), 0);
    feed.heard('n1', of(3, 20, 'role.changed', 1), 0);
    feed.heard('n2', of(1, 30, 'role.changed', 1), 0);
    expect(feed.termBegan(1)).toBe(AT + 20);
    expect(feed.termBegan(12)).toBe(AT);
  });

  test('the filter keeps what a node told and what was told of it', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'n2 is down: 3 heartbeats unanswered.'), 0);
    feed.heard('n2', news(1, 1, 'The link to n3 broke.'), 0);
    feed.heard('n1', news(2, 2, 'n22 is back.'), 0);
    expect(texts(feed, 'n2')).toEqual(['The link to n3 broke.', 'n2 is down: 3 heartbeats unanswered.']);
  });

  test('the reporter is named where the text does not begin with it, and an aside is set apart', () => {
    const feed = new Feed();
    feed.heard('n1', news(1, 0, 'n3 is down.'), 0);
    feed.heard('n2', news(1, 1, 'n2 leads with the votes of n2 and n3. The election took 9 ms.', 'accent'), 0);
    expect(feedRows(feed.items, null)).toMatchObject([
      { main: 'n2 leads with the votes of n2 and n3.', aside: 'The election took 9 ms.', reporter: null },
      { main: 'n3 is down.', aside: null, reporter: 'n1' },
    ]);
  });
});
