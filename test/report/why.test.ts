import { describe, expect, it } from '@jest/globals';
import type { HeardNode } from '../../src/report/cluster-picture.js';
import { timeOfDay } from '../../src/report/phrases.js';
import { headline } from '../../src/report/why.js';
import { brokenLink, gone, leading, live, openLink, report } from './heard-nodes.js';

const THREE = ['n1', 'n2', 'n3'];
const following = (ids: readonly string[], ...which: readonly string[]): HeardNode[] => {
  return which.map((id) => live(report(id, ids), id));
};
const REFUSED = 'connection refused';

describe('with a leader that serves', () => {
  it('says how many may fail', () => {
    expect(headline([live(leading(THREE), 'n1'), ...following(THREE, 'n2', 'n3')])).toEqual({
      tone: 'accent',
      title: 'n1 leads and serves. All three nodes answer.',
      subtitle: 'One may fail, and nothing stops.',
      causes: [],
      waiting: null,
      command: null,
      starts: null,
    });
    const seven = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'];
    const all = headline([live(leading(seven), 'n1'), ...following(seven, ...seven.slice(1))]);
    expect(all.title).toBe('n1 leads and serves. All seven nodes answer.');
    expect(all.subtitle).toBe('Three may fail, and nothing stops.');
  });

  it('says of small clusters that no failure is one too many', () => {
    const two = ['n1', 'n2'];
    expect(headline([live(leading(two), 'n1'), ...following(two, 'n2')])).toMatchObject({
      tone: 'accent',
      title: 'n1 leads and serves. Both nodes answer.',
      subtitle: 'If one fails, nothing is committed.',
    });
    expect(headline([live(leading(['n1']), 'n1')])).toMatchObject({
      tone: 'accent',
      title: 'n1 leads and serves: it is the only node.',
    });
  });

  it('names nodes in the order of their numbers', () => {
    const ids = ['n1', 'n10', 'n2', 'n3', 'n9'];
    const nodes = [
      live(leading(ids, { down: ['n10', 'n9'] }), 'n1'),
      ...following(ids, 'n10', 'n2', 'n3').slice(1),
      ...['n10', 'n9'].map((id) => gone(id, 500, null, REFUSED)),
    ];
    expect(headline(nodes).title).toBe('n9 and n10 are down. n1 leads and serves with n2 and n3.');
  });

  it('warns where one more failure stops it', () => {
    const links = [openLink('n2'), brokenLink('n3', REFUSED)];
    const nodes = [
      live(leading(THREE, { down: ['n3'], links }), 'n1'),
      ...following(THREE, 'n2'),
      gone('n3', 26_400, report('n3', THREE), 'the stream ended'),
    ];
    expect(headline(nodes)).toEqual({
      tone: 'wait',
      title: 'n3 is down. n1 leads and serves with n2.',
      subtitle:
        'One more failure, and nothing is committed. n3 was last heard 26.4 s ago: connection refused at 127.0.0.1:7403.',
      causes: [],
      waiting: null,
      command: 'node main.js serve --id n3 --data .quorate/n3',
      starts: 'n3',
    });
  });

  it('keeps its calm where a larger cluster has room', () => {
    const five = ['n1', 'n2', 'n3', 'n4', 'n5'];
    const one = headline([
      live(leading(five, { down: ['n5'] }), 'n1'),
      ...following(five, 'n2', 'n3', 'n4'),
      gone('n5', 500, null, REFUSED),
    ]);
    expect(one).toMatchObject({ tone: 'accent', title: 'n5 is down. n1 leads and serves with n2, n3 and n4.' });
    expect(one.subtitle).toMatch(/^One more may fail, and nothing stops\. n5 does not answer: /);
    const two = headline([
      live(leading(five, { down: ['n4', 'n5'] }), 'n1'),
      ...following(five, 'n2', 'n3'),
      live(report('n4', five, { role: 'halted', state: 'halted', haltedBy: 'sync failed: EIO' }), 'n4'),
      gone('n5', 500, null, REFUSED),
    ]);
    expect(two).toMatchObject({
      tone: 'wait',
      title: 'n4 has halted and n5 is down. n1 leads and serves with n2 and n3.',
      causes: [
        { node: 'n4', text: 'has halted · sync failed: EIO' },
        { node: 'n5', text: expect.stringMatching(/^does not answer · /) },
      ],
      command: 'node main.js serve --id n4 --data .quorate/n4',
      starts: 'n4',
    });
  });

  it('tells of a node that answers only the leader, and of one that the leader alone misses', () => {
    const unseen = headline([
      live(leading(THREE), 'n1'),
      ...following(THREE, 'n2'),
      gone('n3', 900, null, 'timed out'),
    ]);
    expect(unseen).toMatchObject({
      tone: 'accent',
      title: 'n1 leads and serves with n2 and n3.',
      subtitle: 'One may fail, and nothing stops. n3 does not answer here (timed out), but n1 has missed nothing.',
    });
    const cutOff = headline([
      live(leading(THREE, { down: ['n3'], links: [openLink('n2'), openLink('n3', 12)] }), 'n1'),
      ...following(THREE, 'n2', 'n3'),
    ]);
    expect(cutOff.title).toBe('n3 is cut off from the leader. n1 leads and serves with n2.');
    expect(cutOff.subtitle).toContain('n3 answers here, but not n1: link open, 12 heartbeats unanswered.');
  });

  it('says what a new leader still lacks', () => {
    const nodes = [
      live(leading(THREE, { state: 'active.leader.establishing', down: ['n2'] }), 'n1'),
      gone('n2', 4_200, report('n2', THREE), REFUSED),
      ...following(THREE, 'n3'),
    ];
    expect(headline(nodes)).toMatchObject({
      tone: 'wait',
      title: 'n1 leads but may not serve yet: its first entry lacks a majority.',
      subtitle: expect.stringContaining('n2 was last heard 4.2 s ago'),
    });
  });
});

describe('without a majority', () => {
  it('names each cause, who waits, what becomes of them, and the command that helps', () => {
    const links = [brokenLink('n2', REFUSED), openLink('n3', 162)];
    const waiting = { puts: 13, reads: 12, oldestMs: 7_900, endedUnknown: 22 };
    const nodes = [
      live(leading(THREE, { down: ['n2', 'n3'], links, waiting }), 'n1'),
      gone('n2', 34_600, report('n2', THREE), REFUSED),
      gone('n3', 8_100, report('n3', THREE), 'no answer'),
    ];
    expect(headline(nodes)).toEqual({
      tone: 'danger',
      title: 'Nothing can be committed: 2 of 3 voters must answer, and only n1 does.',
      subtitle: null,
      causes: [
        { node: 'n2', text: 'down for 34.6 s · connection refused at 127.0.0.1:7402' },
        { node: 'n3', text: 'down for 8.1 s · link open, 162 heartbeats unanswered: its process may be stopped' },
      ],
      waiting:
        '13 puts and 12 reads wait, the oldest for 7.9 s; 22 puts have ended with OUTCOME_UNKNOWN. Stale reads are answered. Bring one back.',
      command: 'node main.js serve --id n2 --data .quorate/n2',
      starts: 'n2',
    });
  });

  it('says that nobody can be elected where the leader is gone, too', () => {
    const five = ['n1', 'n2', 'n3', 'n4', 'n5'];
    const nodes = [
      gone('n1', 5_000, leading(five), REFUSED),
      gone('n2', 5_000, null, REFUSED),
      live(report('n3', five, { state: 'active.stalled' }), 'n3'),
      live(report('n4', five, { leaderId: null, role: 'candidate', state: 'active.candidate' }), 'n4'),
      gone('n5', 5_000, null, REFUSED),
    ];
    const { tone, title, causes, waiting } = headline(nodes);
    expect(tone).toBe('danger');
    expect(title).toBe('Nobody can be elected: 3 of 5 voters must vote, and only n4 can.');
    expect(causes.map(({ node }) => node)).toEqual(['n1', 'n2', 'n3', 'n5']);
    expect(causes[2]?.text).toMatch(/^its disk does not finish a sync/);
    expect(waiting).toBe('Nobody waits now. Stale reads are answered. Bring two back.');
  });

  it('names the directory to free where a disk is full', () => {
    const three = ['n1', 'n2', 'n3'];
    const message = 'the disk is full (ENOSPC): free space in /data/n2';
    const nodes = [
      live(leading(three), 'n1'),
      live(report('n2', three, { state: 'active.full', notReady: { code: 'STORAGE_FULL', message } }), 'n2'),
      live(report('n3', three), 'n3'),
    ];
    const { tone, title, subtitle } = headline(nodes);
    expect(tone).toBe('wait');
    expect(title).toBe('n2 has a full disk. n1 leads and serves with n3.');
    expect(subtitle).toContain('free space in /data/n2');
  });

  it('says why one node has halted', () => {
    const three = ['n1', 'n2', 'n3'];
    const halts = { role: 'halted', state: 'halted', haltedBy: 'sync failed: EIO' } as const;
    const nodes = [live(leading(three), 'n1'), live(report('n2', three), 'n2'), live(report('n3', three, halts), 'n3')];
    expect(headline(nodes)).toMatchObject({
      tone: 'wait',
      title: 'n3 has halted. n1 leads and serves with n2.',
      subtitle: 'One more failure, and nothing is committed. n3 has halted: sync failed: EIO.',
    });
    // Its process has ended before it told its peers; the reader has its last report.
    const ended = [...nodes.slice(0, 2), gone('n3', 5_000, report('n3', three, halts), REFUSED)];
    expect(headline([live(leading(three, { down: ['n3'] }), 'n1'), ...ended.slice(1)])).toMatchObject({
      title: 'n3 has halted. n1 leads and serves with n2.',
      subtitle: 'One more failure, and nothing is committed. n3 has halted: sync failed: EIO.',
    });
  });

  describe('of a node that receives a snapshot', () => {
    const three = ['n1', 'n2', 'n3'];
    const receiving = { from: 'n1', index: 900, bytes: 21_000_000, ofBytes: 52_000_000 };
    const installs = report('n3', three, { state: 'active.installing', receiving });
    const n3 = live(installs, 'n3');

    it('says why it is behind, and that no entry counts there until it has it', () => {
      const { tone, title, subtitle, command } = headline([
        live(leading(three), 'n1'),
        live(report('n2', three), 'n2'),
        n3,
      ]);
      expect([tone, command]).toEqual(['wait', null]);
      expect(title).toBe('n3 receives a snapshot. n1 leads and serves with n2.');
      expect(subtitle).toBe(
        "One more failure, and nothing is committed. n3 receives a snapshot from n1: 40 % of 52 MB; entries that it lacks are no longer in the leader's log, and it takes none before the snapshot is installed.",
      );
    });

    it('says so of one whose own snapshot is damaged, which asks for another', () => {
      const asks = live(report('n3', three, { state: 'active.awaitingSnapshot' }), 'n3');
      const { subtitle } = headline([live(leading(three), 'n1'), live(report('n2', three), 'n2'), asks]);
      expect(subtitle).toContain(
        "n3 waits for a snapshot of the leader's; its own is damaged, and it takes no entries before",
      );
    });

    it.each([installs, report('n3', three, { state: 'active.awaitingSnapshot' })])(
      'counts it among those that can elect a leader: it votes',
      (report3) => {
        const nodes = [gone('n1', 5_000, leading(three), REFUSED), live(report('n2', three, { leaderId: null }), 'n2')];
        const alone = live({ ...report3, leaderId: null }, 'n3');
        expect(headline([...nodes, alone]).title).toBe('Nobody leads. An election is about to begin.');
      },
    );

    it('says that nothing is committed where it is needed for a majority', () => {
      const nodes = [
        live(leading(three, { down: ['n2'] }), 'n1'),
        gone('n2', 5_000, report('n2', three), REFUSED),
        { ...n3, report: report('n3', three, { receiving: { ...receiving, bytes: 52_000_000 } }) },
      ];
      const { tone, causes } = headline(nodes);
      expect(tone).toBe('danger');
      expect(causes.map(({ node }) => node)).toEqual(['n2', 'n3']);
      expect(causes[1]?.text).toMatch(/^takes in the snapshot of 52 MB from n1 · /);
    });
  });

  it('makes a command for a node that was never heard, of what its peers say', () => {
    const nodes = [live(leading(['n1', 'n2'], { down: ['n2'] }), 'n1')];
    expect(headline(nodes).command).toBe(
      'node main.js serve --id n2 --listen 127.0.0.1:7402 --peers n1=127.0.0.1:7401,n2=127.0.0.1:7402 --data <DIRECTORY_OF_n2>',
    );
    // Beyond loopback a node starts only with that; folder and variables of the node that was heard are its own.
    const address = '10.0.0.2:7401';
    const far = leading(['n1', 'n2'], { down: ['n2'] });
    const members = far.members.map((member) => (member.id === 'n2' ? { ...member, address } : member));
    const startCommand = "cd '/a b' && QUORATE_ID=n1 QUORATE_DATA='it'\\''s here' node main.js serve --id n1";
    expect(headline([{ ...live({ ...far, members }, 'n1'), startCommand }]).command).toBe(
      'node main.js serve --id n2 --listen 10.0.0.2:7401 --peers n1=127.0.0.1:7401,n2=10.0.0.2:7401 --data <DIRECTORY_OF_n2> --insecure',
    );
    const embedded = headline([...nodes, { ...gone('n2', 9, report('n2', ['n1', 'n2']), null), startCommand: null }]);
    expect(embedded.command).toBeNull();
    expect(embedded.waiting).toMatch(/Bring one back\.$/);
  });

  it('tells the reason that any node that answers knows, before what its own reader met', () => {
    const nodes = [
      gone('n1', 5_000, leading(THREE), 'no answer in time'),
      live(
        report('n2', THREE, { leaderId: null, links: [brokenLink('n1', REFUSED), brokenLink('n3', REFUSED)] }),
        'n2',
      ),
      gone('n3', 5_000, null, 'the stream ended'),
    ];
    expect(headline(nodes).causes).toEqual([
      { node: 'n1', text: 'down for 5.0 s · connection refused at 127.0.0.1:7401' },
      { node: 'n3', text: 'does not answer · connection refused at 127.0.0.1:7403' },
    ]);
  });

  it('says since when no node answers at all', () => {
    const nodes = [gone('n1', 900, leading(THREE, { atMs: 5_000 }), REFUSED), gone('n2', 90, null, REFUSED)];
    const { title, causes, waiting } = headline(nodes);
    expect(waiting).toBe(
      'If they are down, nothing is served, stale reads neither: bring two back, whichever they are, each with the directory that it had.',
    );
    expect(title).toBe(`No node answers since ${timeOfDay(5_000)}; shown is what was last heard.`);
    expect(causes).toHaveLength(2);
    expect(headline([gone('n1', 0, null, REFUSED)])).toMatchObject({ title: 'No node answers.', command: null });
  });
});

describe('without a leader', () => {
  const leaderless = { leaderId: null, term: 8 } as const;
  const dead = gone('n1', 218, leading(THREE), REFUSED);

  it('tells of an election under way', () => {
    const votes = { n1: null, n2: true, n3: null };
    const candidate = report('n2', THREE, {
      ...leaderless,
      role: 'candidate',
      state: 'active.candidate',
      votes,
      links: [brokenLink('n1', REFUSED), openLink('n3')],
      waiting: { puts: 41, reads: 0, oldestMs: 214, endedUnknown: 0 },
    });
    expect(headline([dead, live(candidate, 'n2'), ...following(THREE, 'n3')])).toMatchObject({
      tone: 'wait',
      title: 'Nobody leads. n2 stands for election in term 8 and has 1 of the 2 votes it needs.',
      subtitle:
        'n1, the leader of term 7, was last heard 218 ms ago. n3 was asked for its vote. 41 puts wait, the oldest for 214 ms.',
      causes: [],
    });
  });

  it('tells of a node that asks first whether it could win', () => {
    const asks = (id: string): HeardNode => {
      const votes = { n1: null, n2: id === 'n2', n3: id === 'n3' };
      return live(report(id, THREE, { ...leaderless, role: 'candidate', state: 'active.preCandidate', votes }), id);
    };
    const [n3] = following(THREE, 'n3');
    expect(headline([dead, asks('n2'), n3 as HeardNode]).title).toBe(
      'Nobody leads. n2 asks who would vote for it in term 9: 1 of the 2 that it needs would.',
    );
    expect(headline([dead, asks('n2'), asks('n3')]).title).toBe(
      'Nobody leads. n2 and n3 ask who would vote for them in term 9.',
    );
  });

  it('tells of votes that are split', () => {
    const stands = (id: string): HeardNode => {
      const votes = { n1: null, n2: id === 'n2', n3: id === 'n3' };
      return live(report(id, THREE, { ...leaderless, role: 'candidate', state: 'active.candidate', votes }), id);
    };
    expect(headline([dead, stands('n2'), stands('n3')])).toMatchObject({
      title: 'Nobody leads. n2 and n3 stand for election in term 8.',
      subtitle: expect.stringContaining('n2 has 1 and n3 has 1 of the 2 votes that are needed.'),
    });
  });

  it('says who stands next', () => {
    const waits = (id: string, restMs: number): HeardNode => {
      return live(report(id, THREE, { ...leaderless, timer: { lengthMs: 250, restMs } }), id);
    };
    const { title, subtitle } = headline([dead, waits('n2', 90), waits('n3', 47)]);
    expect(title).toBe('Nobody leads. An election is about to begin.');
    expect(subtitle).toContain('n3 stands in 47 ms, unless it hears a leader.');
  });

  it('knows a leader whom only its followers hear', () => {
    const { title } = headline([gone('n1', 9_000, null, 'timed out'), ...following(THREE, 'n2', 'n3')]);
    expect(title).toBe('n1 leads, as n2 and n3 say, but it does not answer here.');
    const [, n3] = following(THREE, 'n2', 'n3');
    const alone = [gone('n1', 9_000, null, 'timed out'), gone('n2', 9_000, null, 'timed out'), n3 as HeardNode];
    expect(headline(alone).title).toBe('n1 leads, as n3 says, but it does not answer here.');
  });

  it('waits for nodes that recover', () => {
    const recovering = { role: 'recovering', state: 'recovering.openingLog', leaderId: null } as const;
    const nodes = [
      ...THREE.slice(0, 2).map((id) => live(report(id, THREE, recovering), id)),
      ...following(THREE, 'n3'),
    ];
    expect(headline(nodes)).toMatchObject({ tone: 'wait', title: 'Nobody leads yet: n1 and n2 are recovering.' });
  });

  it('takes the word of the newest term: an old leader that is cut off leads nobody', () => {
    const old = live(leading(THREE, { down: ['n2', 'n3'] }), 'n1');
    const nodes = [old, live(report('n2', THREE, leaderless), 'n2'), live(report('n3', THREE, leaderless), 'n3')];
    expect(headline(nodes).title).toBe('Nobody leads. An election is about to begin.');
    const successor = leading(THREE, { term: 8, down: ['n1'] });
    expect(headline([old, live(successor, 'n2'), ...following(THREE, 'n3')]).title).toContain(
      'n2 leads and serves with n3',
    );
  });
});
