import { describe, expect, test } from '@jest/globals';
import type { NodeNotice } from '../../src/raft/effects.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { initialState } from '../../src/raft/replica-state.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { linkReason } from '../../src/report/plain-reasons.js';
import { progressOf, receivingWords } from '../../src/report/snapshot-words.js';
import { NewsWriter, trailing, unknownPuts } from '../../src/report/words.js';

const TERM = asTerm(7);
const servers = ['n1', 'n2', 'n3'].map((id) => ({ id, address: `127.0.0.1:740${id.slice(1)}` }));
const plain = initialState('n1', servers, DEFAULT_SETTINGS);

interface Step {
  readonly atMs?: number;
  readonly notice: NodeNotice;
  readonly state?: Partial<ReplicaState>;
  readonly waitingPuts?: number;
}

/** What a node n1 tells of these notices, one after the other. */
function told(...steps: readonly Step[]): readonly (string | undefined)[] {
  const writer = new NewsWriter('n1');
  return steps.map(({ atMs = 0, notice, state, waitingPuts = 0 }) => {
    return writer.write(notice, { nowMs: atMs, state: { ...plain, ...state }, waitingPuts })?.text;
  });
}

const role = (name: 'follower' | 'candidate' | 'leader', reason: string): NodeNotice => {
  return { type: 'role.changed', role: name, term: TERM, reason };
};
const peer = (status: 'up' | 'suspect' | 'down', missed: number): NodeNotice => {
  return { type: 'peer.changed', peer: 'n3', status, missed };
};
const link = (open: boolean, reason: string): NodeNotice => ({ type: 'link.changed', peer: 'n3', open, reason });

describe('an election', () => {
  test('is told from the silence to the first committed entry', () => {
    const reason = 'nothing from leader n2 for 212 ms, 4 heartbeats missed';
    expect(
      told(
        { notice: { type: 'prevote.started', term: TERM, reason } },
        { atMs: 1_000, notice: role('candidate', reason) },
        { atMs: 1_002, notice: { type: 'election.started', term: TERM, reason: 'n2 would vote for it' } },
        { atMs: 1_004, notice: { type: 'votes.asked', term: TERM, voters: ['n2', 'n3'] } },
        {
          atMs: 1_014,
          notice: role('leader', 'votes of n1, n2'),
          state: { votes: { n1: true, n2: true, n3: false }, leaderHeardAtMs: 788 },
        },
        { atMs: 1_020, notice: { type: 'leader.serving', term: TERM }, waitingPuts: 41 },
        { atMs: 9_000, notice: role('follower', 'n2 has term 8') },
      ),
    ).toEqual([
      'n1 asks whether it could win term 7: nothing heard from n2 for 212 ms, 4 heartbeats missed.',
      undefined,
      'n1 stood for election in term 7: nothing heard from n2 for 212 ms, 4 heartbeats missed.',
      'n1 asks n2 and n3 for their votes. Its own is on disk.',
      'n1 leads in term 7 with the votes of n1 and n2. The election took 14 ms; nobody led for 226 ms.',
      'n1 serves: the first entry of term 7 is on a majority. 41 puts waited for it.',
      'n1 leads no more: n2 has term 8.',
    ]);
  });

  test('that was given up is told; who led a moment ago was not missed for longer than it took', () => {
    const votes = { n1: true, n2: true };
    expect(
      told(
        { atMs: 1_000, notice: role('candidate', 'n2 would vote for it') },
        { atMs: 1_005, notice: role('follower', 'n2 leads in term 8.') },
        { atMs: 2_000, notice: role('candidate', 'n2 would vote for it') },
        { atMs: 2_014, notice: role('leader', 'votes of n1, n2'), state: { votes, leaderHeardAtMs: 2_001 } },
      ),
    ).toEqual([
      undefined,
      'n1 gave up its election: n2 leads in term 8.',
      undefined,
      'n1 leads in term 7 with the votes of n1 and n2. The election took 14 ms.',
    ]);
  });

  test('that finds no majority again and again is told once, until somebody leads', () => {
    const started: Step = { notice: { type: 'election.started', term: TERM, reason: 'no leader for 200 ms' } };
    const asked: Step = { notice: { type: 'votes.asked', term: TERM, voters: ['n3'] } };
    const failed: Step = { notice: { type: 'election.ended', term: TERM, outcome: 'timed out', tookMs: 260.4 } };
    const found: Step = { notice: { type: 'leader.changed', leaderId: 'n2', term: TERM } };
    const all = told(started, asked, failed, started, asked, failed, found, started);
    expect(all.map((text) => text !== undefined)).toEqual([true, true, true, false, false, false, false, true]);
    expect(all[1]).toBe('n1 asks n3 for its vote. Its own is on disk.');
    expect(all[2]).toBe('n1 found no majority in term 7 within 260 ms. It stands again until somebody leads.');
  });
});

test('asking for pre-votes again and again is told once, and once that nobody would vote', () => {
  const asked: Step = { notice: { type: 'prevote.started', term: TERM, reason: 'no leader for 200 ms' } };
  const found: Step = { notice: { type: 'leader.changed', leaderId: 'n2', term: TERM } };
  expect(told(asked, asked, asked, asked, found, asked)).toEqual([
    'n1 asks whether it could win term 7: no leader for 200 ms.',
    'n1 found no majority that would vote for it. It asks again until somebody leads.',
    undefined,
    undefined,
    undefined,
    'n1 asks whether it could win term 7: no leader for 200 ms.',
  ]);
});

describe('a peer', () => {
  test('that is down is told, and how long it was when it is back; a late heartbeat is no news', () => {
    expect(
      told(
        { atMs: 5_000, notice: peer('suspect', 1) },
        { atMs: 5_150, notice: peer('down', 3) },
        { atMs: 6_000, notice: peer('suspect', 1) },
        { atMs: 11_200, notice: peer('up', 0) },
        { atMs: 12_000, notice: peer('up', 0) },
      ),
    ).toEqual([
      undefined,
      'n3 is down: 3 heartbeats unanswered.',
      undefined,
      'n3 is back: it answers again after 6.2 s.',
      undefined,
    ]);
  });

  test('that was down in an earlier leadership is not said to be back in the next', () => {
    const all = told(
      { atMs: 1_000, notice: role('leader', 'votes of n1') },
      { atMs: 2_000, notice: peer('down', 3) },
      { atMs: 3_000, notice: role('follower', 'n2 leads') },
      { atMs: 600_000, notice: role('leader', 'votes of n1') },
      { atMs: 600_050, notice: peer('up', 0) },
    );
    expect(all.at(-1)).toBeUndefined();
  });

  test('whose loss leaves no majority is told with what that means', () => {
    const { n2 } = plain.peers;
    const peers = { ...plain.peers, n2: { ...n2, status: 'down' } } as ReplicaState['peers'];
    expect(told({ notice: peer('down', 3), state: { peers } })).toEqual([
      'n3 is down: 3 heartbeats unanswered. 1 of 3 voters is left: nothing can be committed.',
    ]);
  });

  test('that trails, and that does no more', () => {
    expect(trailing(TERM, 'n3', true, 4_000).text).toBe('n3 trails by more than 1,000 entries.');
    expect(trailing(TERM, 'n3', false, 4).text).toBe('n3 trails by more than 1,000 entries no more.');
  });
});

describe('a link', () => {
  test('that breaks is told once for each reason, and again when it is open', () => {
    expect(
      told(
        { notice: link(true, 'connected') },
        { atMs: 1_000, notice: link(false, 'read ECONNRESET') },
        { atMs: 1_020, notice: link(false, 'connection refused') },
        { atMs: 1_500, notice: link(false, 'n3 has another data directory') },
        { atMs: 1_600, notice: link(false, 'n3 has another data directory') },
        { atMs: 7_200, notice: link(true, 'connected') },
      ),
    ).toEqual([
      undefined,
      'The link to n3 broke: connection reset. It dials again.',
      undefined,
      'The link to n3 cannot be made: n3 has another data directory. It dials again.',
      undefined,
      'The link to n3 is open again after 6.2 s.',
    ]);
  });

  test('that was never open is told of as one that cannot be made yet, and its first opening is no news', () => {
    expect(
      told({ notice: link(false, 'connect ECONNREFUSED') }, { atMs: 500, notice: link(true, 'connected') }),
    ).toEqual(['The link to n3 cannot be made yet: connection refused. It dials again.', undefined]);
  });

  test('is down for a reason in plain words', () => {
    expect(linkReason('connect EHOSTUNREACH 10.0.0.1:7401')).toBe('no way there');
    expect(linkReason('connect ETIMEDOUT 10.0.0.1:7401')).toBe('timed out');
    expect(linkReason('nothing was heard of it for 1600 ms')).toBe('nothing was heard of it for 1.6 s');
    expect(linkReason('nothing was heard of it for 300 ms')).toBe('nothing was heard of it for 300 ms');
    expect(linkReason('127.0.0.1:7403 answered HTTP 503: it is starting, or has halted')).toBe(
      'it is starting, or has halted',
    );
  });
});

describe('the log and the disk', () => {
  const told1 = (notice: NodeNotice, state: Partial<ReplicaState> = {}): string | undefined =>
    told({ notice, state })[0];

  test('are told of in whole sentences', () => {
    const log = { ...plain.log, lastIndex: asIndex(4_793_266), runs: [[asIndex(1), TERM]] as const };
    expect(told1(role('follower', 'recovered, listening for a leader'), { log })).toBe(
      'n1 listens for a leader. Its log holds 4,793,266 entries up to term 7.',
    );
    expect(told1(role('follower', 'recovered'), { log: { ...log, lastIndex: asIndex(0), runs: [] } })).toBe(
      'n1 listens for a leader. Its log is empty.',
    );
    expect(told1({ type: 'log.full', error: new Error('the disk is full: free space in /data') })).toBe(
      'n1: the disk is full: free space in /data.',
    );
    expect(told1({ type: 'log.roomMade', fullForMs: 2_000 })).toBe("n1's disk has room again after 2.0 s.");
    expect(told1({ type: 'log.stalled', waitedMs: 300 })).toContain("n1's disk has not finished a sync for 300 ms");
    expect(told1({ type: 'log.resumed', waitedMs: 1_200 })).toBe("n1's disk works again after 1.2 s.");
    expect(told1({ type: 'log.truncated', from: asIndex(4_821_315) })).toMatch(
      /^n1 dropped its entries from 4,821,315/,
    );
    expect(told1({ type: 'node.halted', error: new Error('sync failed: EIO') })).toBe(
      'n1 has halted: sync failed: EIO.',
    );
    expect(told1({ type: 'node.recovered', lastIndex: asIndex(4), term: TERM, tornBytes: 120 })).toBe(
      'n1 cut 120 bytes of an unfinished last write from its log.',
    );
  });

  test.each<[NodeNotice, string]>([
    [{ type: 'peer.halted', peer: 'n3', reason: 'sync failed: EIO.' }, 'n3 has halted: sync failed: EIO.'],
    [
      { type: 'replica.diverged', peer: 'n3', index: asIndex(1_234), reason: '' },
      "n1 found that n3's state after entry 1,234 is wrong.",
    ],
    [
      { type: 'hash.slow', tookMs: 61 },
      "n1's state machine took 61 ms for its hash: states are not compared while it leads.",
    ],
    [
      { type: 'entry.skipped', index: asIndex(1_234), term: TERM, saidAtMs: 0 },
      'n1 skipped entry 1,234, as an operator said.',
    ],
    [{ type: 'connection.refused', reason: 'n9 is no member' }, 'n1 refused a connection: n9 is no member.'],
    [
      { type: 'snapshot.taken', index: asIndex(1_234), term: TERM, bytes: 52_000_000, tookMs: 1_600 },
      'n1 took a snapshot at 1,234 (52 MB in 1.6 s).',
    ],
    [{ type: 'snapshot.failed', reason: 'the disk is full' }, 'n1 took no snapshot: the disk is full.'],
    [
      { type: 'snapshot.damaged', reason: 'its end is missing' },
      'n1 passed over a damaged snapshot: its end is missing.',
    ],
    [
      { type: 'snapshot.unreadable', index: asIndex(1_234), reason: 'its end is missing' },
      'n1 cannot read its snapshot at 1,234: its end is missing.',
    ],
  ])('%j is told in a sentence', (notice, text) => {
    expect(told1(notice)).toBe(text);
  });

  test('a snapshot that was there already is no news', () => {
    expect(told1({ type: 'snapshot.taken', index: asIndex(7), term: TERM, bytes: 9, tookMs: 0 })).toBeUndefined();
  });

  test('puts whose outcome is unknown are told of together', () => {
    expect(unknownPuts(TERM, 1, 5_000).text).toBe('A put ended with OUTCOME_UNKNOWN after 5.0 s.');
    expect(unknownPuts(TERM, 22, 5_000).text).toBe('22 puts ended with OUTCOME_UNKNOWN, the last after 5.0 s.');
  });

  test("news carry the notice's own fields", () => {
    const news = new NewsWriter('n1').write(
      { type: 'node.halted', error: new Error('EIO') },
      { nowMs: 0, state: { ...plain, term: TERM }, waitingPuts: 0 },
    );
    expect(news).toMatchObject({ event: 'node.halted', term: 7, tone: 'danger', details: { error: 'EIO' } });
  });
});

describe('a snapshot that one node gets from another', () => {
  const installing = { from: 'n2', snapshot: { index: asIndex(10_233), term: TERM }, bytes: 52_000_000, received: 0 };

  test('is told by both, from why it is needed to where the log goes on', () => {
    const [index, bytes] = [asIndex(10_233), 52_000_000];
    expect(
      told(
        { notice: { type: 'snapshot.offered', peer: 'n3', index, bytes } },
        { notice: { type: 'install.began', from: 'n2', index, bytes } },
        { notice: { type: 'install.failed', from: 'n2', index, reason: 'the connection was closed.' } },
        { notice: { type: 'snapshot.installed', index, term: TERM, bytes } },
      ),
    ).toEqual([
      "n1 has a snapshot of 52 MB for n3: the entries that n3 needs are no longer in n1's log.",
      'n1 receives a snapshot of 52 MB from n2.',
      'n1 did not get the snapshot from n2: the connection was closed. It tries again.',
      'n1 has installed the snapshot of 52 MB, and goes on from entry 10,234.',
    ]);
  });

  test('stands for the entries that the log drops for it: the leader may well have them', () => {
    const log = { ...plain.log, lastIndex: asIndex(20) };
    const dropped = (from: number, state: Partial<ReplicaState>) =>
      told({ notice: { type: 'log.truncated', from: asIndex(from) }, state: { log, ...state } })[0];
    expect(dropped(5, { installing })).toBe(
      'n1 dropped its entries from 5 on: the snapshot that it receives stands for them.',
    );
    expect(dropped(21, { installing })).toBeUndefined();
    expect(dropped(5, {})).toContain('the leader does not have them');
    expect(dropped(10_234, { installing })).toContain('the leader does not have them');
    const longer = { ...log, lastIndex: asIndex(20_000) };
    expect(dropped(10_233, { installing, log: longer })).toContain('the snapshot that it receives stands for them');
  });

  test('has come whole only with its last byte', () => {
    expect(progressOf({ bytes: 999, ofBytes: 1_000 })).toBe('99 % of 1.0 kB');
    const receiving = { from: 'n2', index: 7, bytes: 999, ofBytes: 1_000 };
    expect(receivingWords(receiving)).toBe('receives a snapshot from n2: 99 % of 1.0 kB');
    expect(receivingWords({ ...receiving, bytes: 1_000 })).toBe('takes in the snapshot of 1.0 kB from n2');
  });
});
