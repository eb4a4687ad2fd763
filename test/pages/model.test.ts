import { describe, expect, test } from '@jest/globals';
import { ClusterModel } from '../../src/pages/dashboard/model/cluster-model.js';
import { linksOf } from '../../src/pages/dashboard/model/links.js';
import { trailOf } from '../../src/pages/dashboard/model/log-strip.js';
import { apart } from '../../src/pages/dashboard/model/marks.js';
import type { NodeReport } from '../../src/report/node-report.js';
import { headline } from '../../src/report/why.js';
import { FakeRaft } from './fake-raft.js';
import { metricsOf, reportOf } from './fake-reports.js';
import { helloOf, START, ToldCluster } from './told-cluster.js';

describe("the page's model of a cluster", () => {
  test('who leads, that it commits, and its facts', () => {
    const { view } = new ToldCluster();
    expect(view.leader?.id).toBe('n1');
    expect(view).toMatchObject({ isCommitting: true, answering: 3, majority: 2, term: 7 });
    expect(view.facts.puts).toBeGreaterThan(900);
  });

  test('logs are compared as they were at one moment, though nodes report at different times', () => {
    const told = new ToldCluster();
    told.pass(50);
    // Only the leader has reported what happened since.
    told.raft.pass(100);
    told.nowMs += 100;
    const report = reportOf(told.raft, told.raft.node('n1'), { atMs: told.nowMs, addressOf: (id) => id, rate: 1_000 });
    told.model.report('n1', report, told.nowMs);
    const [leader, follower] = told.view.nodes.map((node) => node.report?.log.lastIndex ?? 0);
    expect((leader ?? 0) - (follower ?? 0)).toBeLessThan(40);
    expect((leader ?? 0) - (follower ?? 0)).toBeGreaterThan(0);
  });

  test("the clocks' difference is taken off what is measured", () => {
    const told = new ToldCluster({ n2: 90_000 });
    told.pass(3_000);
    const second = Math.floor(told.nowMs / 1_000) * 1_000;
    const { behind } = told.model.history.series(second);
    expect(behind.get('n2')?.at(-1)).not.toBeNull();
    expect(told.card('n2').timer?.share).toBeGreaterThan(0.5);
  });

  test('a node that receives a snapshot says how much of it is here, in place of its timeout', () => {
    const told = new ToldCluster();
    const { report } = told.view.nodes.find(({ id }) => id === 'n3') ?? {};
    const receiving = { from: 'n1', index: 900, bytes: 21_000_000, ofBytes: 52_000_000 };
    told.model.report('n3', { ...(report as NodeReport), state: 'active.installing', receiving }, told.nowMs);
    const [, fact] = told.card('n3').facts;
    expect(told.card('n3')).toMatchObject({ look: 'waits', badge: 'installing', role: 'follower' });
    expect(fact).toMatchObject({ label: 'snapshot', value: '40 % of 52 MB', tone: 'wait' });
    expect(fact?.tip).toMatch(/^It receives a snapshot from n1: 40 % of 52 MB, up to entry 900: /);
    const node = told.view.nodes.find(({ id }) => id === 'n3');
    expect(node && trailOf(told.view, node).parts.join('')).toBe('snapshot: 40 % of 52 MB');
  });

  test.each([
    ['active.awaitingSnapshot', 'needs snapshot', "its own is damaged: waits for the leader's"],
    ['active.full', 'disk full', 'takes no entries until there is room'],
    ['active.stalled', 'disk hangs', 'neither leads nor votes meanwhile'],
  ])('a follower in %s is marked: its %s', (state, badge, words) => {
    const told = new ToldCluster();
    told.raft.node('n3').state = state;
    told.pass(300);
    expect(told.card('n3')).toMatchObject({
      look: 'waits',
      badge,
      words,
      role: 'follower',
      state,
      facts: [],
      isUp: true,
    });
  });

  test('a node that has halted says why, and falls behind for good', () => {
    const told = new ToldCluster();
    Object.assign(told.raft.node('n3'), { role: 'halted', state: 'halted', haltedBy: 'sync failed: EIO' });
    told.pass(500);
    expect(told.card('n3')).toMatchObject({ look: 'halted', badge: 'halted', words: 'sync failed: EIO' });
    const n3 = told.view.nodes.find(({ id }) => id === 'n3');
    const trail = n3 && trailOf(told.view, n3);
    expect(trail?.tone).toBe('danger');
    expect(trail?.parts.join('')).toMatch(/^trails by \d+ and growing$/);
    // Its process ends: the reason stays.
    told.kill('n3');
    told.pass(5_000);
    expect(told.card('n3')).toMatchObject({ look: 'halted', badge: 'halted', isUp: false, words: 'sync failed: EIO' });
    expect(told.card('n3').line).toMatch(/^gone for \d\.\d s$/);
  });

  test('a node that is lost is down, as last heard, and its silence grows', () => {
    const told = new ToldCluster();
    told.kill('n3');
    told.pass(5_000);
    expect(told.card('n3')).toMatchObject({
      look: 'down',
      isUp: false,
      line: 'was follower, term 7',
      words: 'connection refused',
    });
    expect(told.view.nodes[2]?.silentMs).toBe(5_000);
    expect(told.view.isCommitting).toBe(true);
    expect(told.model.feed.items.map(({ text }) => text)).toEqual(['n3 answers no more. This page goes on with n1.']);
  });

  test('charts begin with what nodes measured before the page was opened', () => {
    const told = new ToldCluster({ n1: 90_000 });
    const atMs = told.nowMs - 90_000;
    const past = Array.from({ length: 300 }, (_, at) => ({
      ...metricsOf(told.raft, told.raft.node('n1'), atMs - (300 - at) * 1_000, 1_000),
      behind: { n2: at, n3: 5 },
    }));
    told.model.pastMetrics('n1', past);
    const { puts, behind } = told.model.history.series(told.nowMs);
    expect(puts.filter((value) => value !== null).length).toBeGreaterThan(290);
    expect(
      behind
        .get('n2')
        ?.slice(10, 290)
        .every((value) => value !== null),
    ).toBe(true);
  });

  describe('the first figures', () => {
    const raft = new FakeRaft(['n1', 'n2', 'n3'], { putsPerSecond: 400, lagMs: [10] }, [{ startIndex: 1, term: 1 }]);
    const greet = (model: ClusterModel, id: string): void => {
      model.hello(helloOf(id), START, id === 'n2');
      model.report(id, reportOf(raft, raft.node(id), { atMs: START, addressOf: (of) => of, rate: 400 }), START);
      model.pastMetrics(id, [metricsOf(raft, raft.node(id), START - 300, 400)]);
    };

    test('are those of the second before the page was opened, once each node was heard: a follower alone knows of no puts', () => {
      const model = new ClusterModel(START);
      greet(model, 'n2');
      greet(model, 'n3');
      expect([model.view(START).facts.puts, model.view(START).facts.reads]).toEqual([null, null]);
      greet(model, 'n1');
      expect(model.view(START).facts.puts).toBeGreaterThan(350);
    });

    test('are counted without a node that cannot be reached, or says nothing for three seconds', () => {
      const model = new ClusterModel(START);
      greet(model, 'n1');
      greet(model, 'n2');
      expect(model.view(START).facts.puts).toBeNull();
      const puts = (nowMs: number): number | null => {
        for (const id of ['n1', 'n2']) model.metrics(id, metricsOf(raft, raft.node(id), nowMs, 400), nowMs);
        return model.view(nowMs).facts.puts;
      };
      expect([puts(START + 2_900), puts(START + 3_000)]).toEqual([null, expect.any(Number)]);
      const other = new ClusterModel(START);
      greet(other, 'n1');
      greet(other, 'n2');
      other.lost('n3', 'connection refused', START + 250);
      expect(other.view(START).facts.puts).toBeGreaterThan(350);
    });
  });

  test('why a node is silent is told in the same words by its card and by the headline', () => {
    const told = new ToldCluster();
    told.kill('n1');
    told.pass(3_000);
    told.model.lost('n1', 'no answer in time', null);
    expect(told.card('n1').words).toBe('connection refused');
    expect(headline(told.view.nodes).subtitle ?? headline(told.view.nodes).causes[0]?.text).not.toContain('no answer');
    told.kill('n2');
    told.pass(3_000);
    expect(headline(told.view.nodes).causes[0]?.text).toMatch(/^down for 6.0 s · connection refused at /);
    expect(told.card('n1').words).toBe('connection refused');
  });

  test('a stream that is open and silent for two seconds is one that does not answer', () => {
    const told = new ToldCluster();
    told.raft.absent('n3', 'frozen', told.nowMs);
    told.pass(1_900);
    expect(told.view.answering).toBe(3);
    told.pass(200);
    expect(told.view.answering).toBe(2);
    expect(told.card('n3').words).toMatch(/beats unanswered/);
  });

  test('a page that was not run for a while blames no node for it', () => {
    const told = new ToldCluster();
    told.nowMs += 60_000;
    told.model.tick(told.nowMs);
    expect(told.view.answering).toBe(3);
    expect(told.model.feed.items).toEqual([]);
  });

  test('what arrives late is said to be late, by how much', () => {
    const told = new ToldCluster();
    expect(told.view.behindMs).toBe(0);
    told.nowMs += 50;
    for (const node of told.raft.nodes) {
      const atMs = told.nowMs - 1_200;
      told.model.report(node.id, reportOf(told.raft, node, { atMs, addressOf: (id) => id, rate: 1_000 }), told.nowMs);
    }
    expect(told.view.behindMs).toBe(1_200);
  });

  test('whom the leader hears and the page does not is not down', () => {
    const told = new ToldCluster();
    told.model.lost('n2', null, null);
    expect(told.card('n2')).toMatchObject({ look: 'unheard', isUp: true });
  });

  test('an election is a line in the charts, which then says who leads; that the first leader is met is none', () => {
    const told = new ToldCluster();
    expect(told.model.marks.marks).toEqual([]);
    told.kill('n1');
    told.raft.stands('n2');
    told.tell();
    expect(told.model.marks.marks).toMatchObject([{ label: 'election', tone: 'wait' }]);
    expect(told.card('n2').votes).toEqual([
      { id: 'n2', answer: 'granted' },
      { id: 'n3', answer: 'asked' },
      { id: 'n1', answer: 'none' },
    ]);
    told.raft.wins('n2').state = 'active.leader.serving';
    told.pass(500);
    expect(told.model.marks.marks).toMatchObject([{ label: 'n2 leads' }]);
    expect(told.view.isCommitting).toBe(true);
  });

  test('elections from before the page saw the cluster are lines that news tell of, until five minutes have passed', () => {
    const told = new ToldCluster({ n2: 90_000 });
    const sawAtMs = told.nowMs;
    const tell = (id: string, event: string, term: number, agoMs: number, details = {}): void => {
      const atMs = sawAtMs - agoMs - (told.aheadMs[id] ?? 0);
      told.model.news(
        id,
        { sequence: term, atMs, term, event, tone: 'wait', text: `${event} ${term}`, details },
        told.nowMs,
      );
    };
    tell('n1', 'role.changed', 7, 20_000, { role: 'leader' });
    tell('n2', 'election.started', 6, 200_100);
    tell('n2', 'role.changed', 6, 200_000, { role: 'leader' });
    tell('n3', 'role.changed', 5, 290_000, { role: 'leader' });
    tell('n1', 'role.changed', 6, 150_000, { role: 'follower' });
    tell('n1', 'role.changed', 8, -10_000, { role: 'leader' });
    const marks = () => told.model.marks.marks.map(({ label, atMs }) => [label, sawAtMs - atMs]);
    expect(marks()).toEqual([
      ['n3 leads', 290_000],
      ['n2 leads', 200_100],
      ['n1 leads', 20_000],
    ]);
    told.pass(11_000);
    expect(marks()[0]).toEqual(['n2 leads', 200_100]);
  });

  test('of lines in a chart that are nearer than six pixels only the newest is drawn', () => {
    const marks = [0, 5, 11, 20, 24].map((atMs) => ({ atMs, label: `${atMs}`, tone: 'wait' as const }));
    expect(apart(marks, ({ atMs }) => atMs, 6).map(({ label }) => label)).toEqual(['5', '11', '24']);
  });

  test('without a majority nothing is committed, since the second of three fell silent', () => {
    const told = new ToldCluster();
    told.kill('n3');
    told.pass(3_000);
    told.kill('n2');
    told.pass(2_000);
    const { view } = told;
    expect(view.isCommitting).toBe(false);
    expect(view.nowMs - (view.stuckSinceMs ?? 0)).toBe(2_000);
    expect(told.card('n1').facts).toContainEqual({ label: 'answers', value: '1 of 2 needed' });
    expect(told.model.marks.marks).toMatchObject([{ label: 'no majority', tone: 'danger' }]);
  });

  test('links: appends and replies, idle between followers, broken and not known', () => {
    const told = new ToldCluster();
    const kinds = (): readonly string[] => linksOf(told.view).map(({ forth, back }) => `${forth.kind} ${back.kind}`);
    expect(kinds()).toEqual(['appends replies', 'appends replies', 'idle idle']);
    told.kill('n2');
    told.kill('n3');
    told.pass(100);
    expect(kinds()).toEqual(['down down', 'down down', 'unknown unknown']);
    expect(linksOf(told.view)[0]?.label[0]).toBe('refused');
  });
});
