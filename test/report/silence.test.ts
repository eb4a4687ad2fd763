import { describe, expect, test } from '@jest/globals';
import type { LiveNode } from '../../src/report/cluster-picture.js';
import { silenceOf } from '../../src/report/silence.js';
import { headline } from '../../src/report/why.js';
import { brokenLink, gone, leading, live, openLink, report } from './heard-nodes.js';

const THREE = ['n1', 'n2', 'n3'];
const REFUSED = 'connection refused';

describe('why a node is silent', () => {
  const n3 = gone('n3', 5_000, report('n3', THREE), 'the stream ended');
  const unanswered = live(leading(THREE, { links: [openLink('n2'), openLink('n3', 12)] }), 'n1') as LiveNode;
  const broken = live(report('n2', THREE, { links: [openLink('n1'), brokenLink('n3', REFUSED)] }), 'n2');

  test('is what the leader says, before what another node says', () => {
    const nodes = [broken, unanswered, n3];
    expect(silenceOf(n3, unanswered, nodes)).toEqual({ reason: '12 heartbeats unanswered', isLinkOpen: true });
    expect(silenceOf(n3, undefined, nodes)).toEqual({ reason: REFUSED, isLinkOpen: false });
    expect(silenceOf(n3, undefined, [n3])).toEqual({ reason: 'the stream ended', isLinkOpen: false });
  });

  test('is that it halted only while it does not answer', () => {
    const halts = report('n3', THREE, { role: 'halted', state: 'halted', haltedBy: 'sync failed: EIO' });
    expect(silenceOf(gone('n3', 5_000, halts, REFUSED), undefined, []).reason).toBe('it has halted: sync failed: EIO');
    expect(silenceOf(live(halts, 'n3'), unanswered, [unanswered]).reason).toBe('12 heartbeats unanswered');
  });
});

describe('the headline', () => {
  const leaderless = { leaderId: null, term: 8 } as const;
  const candidate = { ...leaderless, role: 'candidate', state: 'active.candidate' } as const;

  test('counts only members that vote', () => {
    const four = [...THREE, 'n4'];
    const members = leading(four).members.map((member) => ({ ...member, voter: member.id !== 'n4' }));
    const nodes = [
      live(leading(four, { members }), 'n1'),
      ...['n2', 'n3', 'n4'].map((id) => live(report(id, four), id)),
    ];
    expect(headline(nodes).title).toBe('n1 leads and serves. All three nodes answer.');
  });

  test('believes in a leader that it does not hear only where a follower has an open link to it', () => {
    const cutOff = ['n2', 'n3'].map((id) =>
      live(report(id, THREE, { links: [brokenLink('n1', REFUSED), openLink(id === 'n2' ? 'n3' : 'n2')] }), id),
    );
    expect(headline([gone('n1', 9_000, null, 'timed out'), ...cutOff]).title).toBe(
      'Nobody leads. An election is about to begin.',
    );
  });

  test('names the former leader of the newest term, who refused a vote, and what callers may expect', () => {
    const five = [...THREE, 'n4', 'n5'];
    const votes = { n1: null, n2: null, n3: true, n4: false, n5: null };
    const links = [...['n1', 'n2'].map((id) => brokenLink(id, REFUSED)), openLink('n4'), openLink('n5')];
    const nodes = [
      gone('n1', 9_000, { ...leading(five), term: 6 }, REFUSED),
      gone('n2', 300, { ...leading(five), term: 7 }, REFUSED),
      live(report('n3', five, { ...candidate, votes, links }), 'n3'),
      ...['n4', 'n5'].map((id) => live(report(id, five, leaderless), id)),
    ];
    expect(headline(nodes).subtitle).toBe(
      'n2, the leader of term 7, was last heard 300 ms ago. n4 refused. n5 was asked for its vote.',
    );
    const waiting = { puts: 1, reads: 0, oldestMs: 50, endedUnknown: 0 };
    const dead = ['n1', 'n2'].map((id) => gone(id, 9_000, report(id, THREE), REFUSED));
    expect(headline([...dead, live(report('n3', THREE, { ...candidate, votes, waiting }), 'n3')]).waiting).toBe(
      '1 put waits, the oldest for 50 ms; when their time is over they end with NO_LEADER or NO_QUORUM, and nothing was done. Stale reads are answered. Bring one back.',
    );
    const alone = live(leading(THREE, { down: ['n2', 'n3'], waiting }), 'n1');
    expect(headline([alone, ...['n2', 'n3'].map((id) => gone(id, 9_000, null, REFUSED))]).waiting).toContain(
      'a put that finds no majority in time ends with OUTCOME_UNKNOWN',
    );
  });
});
