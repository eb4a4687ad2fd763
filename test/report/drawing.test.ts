import { describe, expect, test } from '@jest/globals';
import type { Drawing } from '../../src/cli/cluster-drawing.js';
import { drawCluster } from '../../src/cli/cluster-drawing.js';
import type { WatchedNode } from '../../src/cli/heard-cluster.js';
import { barOf, entriesPerCell } from '../../src/cli/log-bars.js';
import type { HeardNode } from '../../src/report/cluster-picture.js';
import { brokenLink, gone, leading, live, openLink, report } from './heard-nodes.js';

const THREE = ['n1', 'n2', 'n3'];
const watched = (node: HeardNode): WatchedNode => ({ ...node, metrics: null });
const log = { firstIndex: 1, lastIndex: 100, durableIndex: 100, commitIndex: 100, appliedIndex: 100, terms: [] };

const nodes: readonly WatchedNode[] = [
  live(leading(THREE, { down: ['n3'], log, links: [openLink('n2'), brokenLink('n3', 'connection refused')] }), 'n1'),
  live(report('n2', THREE, { log: { ...log, lastIndex: 98, durableIndex: 96, appliedIndex: 90 } }), 'n2'),
  gone('n3', 8_100, report('n3', THREE), 'connection refused'),
].map(watched);

const draw = (change: Partial<Drawing> = {}): readonly string[] => {
  const plain = { name: 'orders', nodes, news: [], columns: 100, rows: 40, isColoured: false, atMs: 0 };
  return drawCluster({ ...plain, ...change });
};
const lineOf = (lines: readonly string[], id: string): string => lines.find((line) => line.startsWith(`${id}  `)) ?? '';

test('who leads stands first, then each node with its role, state, term and log', () => {
  const lines = draw();
  expect(lines[0]).toMatch(/^Quorate orders +2 of 3 nodes {2}\d\d:\d\d:\d\d$/);
  expect(lines[1]).toBe('n3 is down. n1 leads and serves with n2.');
  expect(lineOf(lines, 'n1')).toMatch(/^n1 {2}leader +active\.leader\.serving +term 7 +█+ +100$/);
  expect(lineOf(lines, 'n2')).toMatch(/^n2 {2}follower +active\.follower +term 7 +█+▒+░+·+ +trails by 2$/);
  expect(lineOf(lines, 'n3')).toMatch(/^n3 {2}down +was follower +term 7 .* last heard 8\.1 s ago$/);
  expect(lines.join('\n')).toContain('committed 100');
  expect(lines.join('\n')).not.toContain('\u001b');
});

test('what the nodes do is summed up over those that have told it, and is a dash before any has', () => {
  const told = { atMs: 0, putsPerSecond: 700, readsPerSecond: 40, putP50Ms: 4, putP99Ms: 9, syncMs: 1, behind: null };
  const metrics = { ...told, eventLoopDelayMs: null, errors: {} };
  const figuresOf = (lines: readonly string[]): string | undefined => lines.find((line) => line.startsWith('puts '));
  expect(figuresOf(draw())).toBe('puts – · reads – · p50 – · p99 – · sync – · waiting 0 · committed 100');
  const [n1, ...others] = nodes;
  expect(figuresOf(draw({ nodes: [{ ...(n1 as WatchedNode), metrics }, ...others] }))).toMatch(
    /^puts 700\/s · reads 40\/s · p50 4\.0 ms · p99 9\.0 ms · sync 1\.0 ms /,
  );
});

test('a candidate shows its votes, and a follower what is left of its timer', () => {
  const votes = { n1: null, n2: true, n3: false };
  const lines = draw({
    nodes: [
      watched(live(report('n2', THREE, { role: 'candidate', state: 'active.candidate', votes }), 'n2')),
      watched(live(report('n3', THREE, { timer: { lengthMs: 250, restMs: 47 } }), 'n3')),
    ],
  });
  expect(lineOf(lines, 'n2')).toContain('votes n1 … n2 ✓ n3 ×');
  expect(lineOf(lines, 'n3')).toContain('timeout in 47 ms');
});

describe('the room that there is', () => {
  test.each([120, 80, 60, 48, 30])('%s columns are enough', (columns) => {
    const lines = draw({ columns });
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    expect(lineOf(lines, 'n1')).toContain('leader');
    expect(lineOf(lines, 'n1').includes('█')).toBe(columns >= 48);
  });

  test('of the news those are shown that fit, the newest first, with who tells them', () => {
    const news = [3, 2, 1].map((sequence) => ({
      sequence,
      atMs: sequence,
      event: 'peer.changed',
      term: 7,
      tone: 'danger' as const,
      text: `n3 is down: ${sequence} heartbeats unanswered.`,
      details: {},
      node: sequence === 3 ? 'n1' : 'n3',
    }));
    const lines = draw({ news, rows: 12 });
    expect(lines).toHaveLength(12);
    expect(lines.findLast((line) => line.includes('heartbeats'))).toMatch(/n3 is down: [32] heartbeats unanswered\./);
    expect(draw({ news }).join('\n')).toMatch(/3 heartbeats unanswered\. \(n1\)\n.*2 heartbeats unanswered\.\n/);
  });
});

test('colours are codes around the words, and only where they are wanted', () => {
  const coloured = draw({ isColoured: true });
  expect(coloured[1]).toBe('\u001b[1;33mn3 is down. n1 leads and serves with n2.\u001b[0m');
});

test('bars are aligned by index, on a scale that shows all marks', () => {
  expect(entriesPerCell([log, { ...log, appliedIndex: 52 }], 25)).toBe(2);
  expect(entriesPerCell([log, { ...log, appliedIndex: 51 }], 25)).toBe(5);
  expect(entriesPerCell([log], 25)).toBe(1);
  const late = { ...log, lastIndex: 96, durableIndex: 94, appliedIndex: 92 };
  expect(barOf(late, 100, 2, 6)).toBe('██▒░··');
  expect(barOf({ ...log, lastIndex: 2, durableIndex: 2, appliedIndex: 2 }, 2, 1, 4)).toBe('  ██');
});

test('a node that receives a snapshot shows how much of it is here, in the colour of what passes', () => {
  const receiving = { from: 'n1', index: 90, bytes: 21_000_000, ofBytes: 52_000_000 };
  const n2 = watched(live(report('n2', THREE, { state: 'active.installing', log, receiving }), 'n2'));
  expect(lineOf(draw({ nodes: [n2] }), 'n2')).toMatch(/^n2 {2}follower +active\.installing .* snapshot 40 % of 52 MB$/);
  expect(draw({ nodes: [n2], isColoured: true }).join('\n')).toContain('\u001b[33mn2  follower');
});
