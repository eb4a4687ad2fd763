import { stripVTControlCharacters } from 'node:util';
import { countOf, durationOf, grouped, timeOfDay } from '../report/phrases.js';
import { progressOf } from '../report/snapshot-words.js';
import type { Headline } from '../report/why.js';
import { headline } from '../report/why.js';
import type { HeardNews, WatchedNode } from './heard-cluster.js';
import { barOf, entriesPerCell, newestIn } from './log-bars.js';

/** The cluster to draw, and the room there is for it. */
export interface Drawing {
  readonly name: string | null;
  readonly nodes: readonly WatchedNode[];
  /** Newest first. */
  readonly news: readonly HeardNews[];
  readonly columns: number;
  readonly rows: number;
  readonly isColoured: boolean;
  /** By the wall clock. */
  readonly atMs: number;
}

type Paint = (text: string, ...codes: readonly number[]) => string;

const BOLD = 1;
const DIM = 2;
const COLOUR: Readonly<Record<string, number>> = { accent: 36, wait: 33, danger: 31, neutral: 39 };
/** With fewer columns the chart's states are not shown. */
const NARROW = 84;
const WIDEST_BAR = 48;
const LEAST_BAR = 10;
/** With fewer there is no room for bars. */
const NARROWEST = 48;

/** The cluster in text: the one sentence, a line for each node with its log beside the others', what they do, what happened. */
export function drawCluster(drawing: Drawing): readonly string[] {
  const paint = painter(drawing.isColoured);
  const told = headline(drawing.nodes);
  const lines = [
    titleLine(drawing, paint),
    // Where all is served, the picture has better use for the room: `--why` has the command.
    ...headlineLines(told.causes.length === 0 ? { ...told, command: null } : told, drawing.columns, paint),
    '',
    ...nodeLines(drawing, paint),
    '',
    ...figures(drawing.nodes, drawing.columns),
  ];
  const room = Math.max(0, drawing.rows - lines.length - 1);
  const news = newsLines(drawing, paint).slice(0, room);
  return [...lines, ...(news.length === 0 ? [] : ['', ...news])].slice(0, drawing.rows);
}

/** The sentence with all that belongs to it, as `--why` prints it. */
export function headlineLines(
  { tone, title, subtitle, causes, waiting, command, starts }: Headline,
  columns: number,
  paint: Paint,
): readonly string[] {
  const width = Math.max(0, ...causes.map(({ node }) => node.length));
  return [
    ...wrapped(title, columns).map((line) => paint(line, BOLD, COLOUR[tone] ?? 39)),
    ...wrapped(subtitle ?? '', columns),
    ...causes.flatMap(({ node, text }) => {
      const [first = '', ...rest] = wrapped(text, columns - width - 4);
      return [
        `  ${paint(node.padEnd(width), BOLD)}  ${first}`,
        ...rest.map((line) => `${' '.repeat(width + 4)}${line}`),
      ];
    }),
    ...wrapped(waiting ?? '', columns),
    // Never broken: it is there to be copied.
    ...(command === null ? [] : [`Start ${starts} again:`, `  ${command}`]),
  ];
}

export function painter(isColoured: boolean): Paint {
  return (text, ...codes) => (isColoured && text !== '' ? `\u001b[${codes.join(';')}m${text}\u001b[0m` : text);
}

function titleLine({ name, nodes, columns, atMs }: Drawing, paint: Paint): string {
  const live = nodes.filter(({ isAnswering }) => isAnswering).length;
  const right = `${live} of ${countOf(nodes.length, 'node')}  ${timeOfDay(atMs)}`;
  const left = name === null ? 'Quorate' : `Quorate ${name}`;
  return cutTo(
    `${paint(left, BOLD)}${' '.repeat(Math.max(1, columns - left.length - right.length))}${paint(right, DIM)}`,
    columns,
  );
}

function nodeLines({ nodes, columns }: Drawing, paint: Paint): readonly string[] {
  const logs = nodes.flatMap(({ report }) => (report === null ? [] : [report.log]));
  const liveLogs = nodes.flatMap(({ report, isAnswering }) => (report === null || !isAnswering ? [] : [report.log]));
  const newest = newestIn(logs);
  const ids = Math.max(2, ...nodes.map(({ id }) => id.length));
  const before = nodes.map((node) => beforeBar(node, ids, columns));
  const after = nodes.map((node) => afterBar(node, newest));
  const used = widest(before) + widest(after) + 4;
  const cells = columns < NARROWEST ? 0 : Math.max(LEAST_BAR, Math.min(WIDEST_BAR, columns - used));
  const perCell = entriesPerCell(liveLogs.length > 0 ? liveLogs : logs, Math.max(1, cells));
  return nodes.map((node, at) => {
    const { report, isAnswering } = node;
    const bar = report === null ? ' '.repeat(cells) : barOf(report.log, newest, perCell, cells);
    const colour = isAnswering ? (report?.role === 'leader' ? [COLOUR.accent ?? 36] : [39]) : [DIM];
    const role = paint((before[at] ?? '').padEnd(widest(before)), ...toneOf(node));
    return cutTo(`${role}  ${paint(bar, ...colour)}  ${after[at]}`, columns);
  });
}

const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

function toneOf({ report, isAnswering }: WatchedNode): readonly number[] {
  if (!isAnswering || report?.role === 'halted') return [COLOUR.danger ?? 31];
  if (report?.role === 'leader') return [BOLD, COLOUR.accent ?? 36];
  const isWell = report?.role === 'follower' && !/\.(stalled|full|installing|awaitingSnapshot)$/.test(report.state);
  return isWell ? [39] : [COLOUR.wait ?? 33];
}

function beforeBar({ id, report, isAnswering }: WatchedNode, ids: number, columns: number): string {
  const role = isAnswering ? (report?.role ?? '') : 'down';
  const state = report === null ? '' : isAnswering ? report.state : `was ${report.role}`;
  const middle = columns < NARROW ? '' : `  ${state.padEnd(27)}`;
  return `${id.padEnd(ids)}  ${role.padEnd(10)}${middle}  ${report === null ? '' : `term ${report.term}`}`;
}

/** How far a node is, in words: the newest log says where it ends, the others what they lack. */
function afterBar({ report, isAnswering, silentMs, lastReason }: WatchedNode, newest: number): string {
  if (report === null) return lastReason ?? 'not heard yet';
  if (!isAnswering) return `last heard ${durationOf(silentMs)} ago`;
  const { lastIndex } = report.log;
  const trails = newest - lastIndex;
  const timer = report.timer === null ? '' : `  timeout in ${report.timer.restMs} ms`;
  if (report.receiving) return `snapshot ${progressOf(report.receiving)}`;
  const where = trails === 0 ? grouped(lastIndex) : `trails by ${grouped(trails)}`;
  return report.role === 'candidate' ? `${where}  ${votesIn(report.votes)}` : `${where}${timer}`;
}

function votesIn(votes: Readonly<Record<string, boolean | null>> | null): string {
  const marks = Object.entries(votes ?? {}).map(([id, vote]) => `${id} ${vote === null ? '…' : vote ? '✓' : '×'}`);
  return `votes ${marks.join(' ')}`;
}

function figures(nodes: readonly WatchedNode[], columns: number): readonly string[] {
  const live = nodes.filter(({ isAnswering }) => isAnswering);
  const metrics = live.flatMap((node) => (node.metrics === null ? [] : [node.metrics]));
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  const rate = (values: readonly number[]): string => (values.length === 0 ? '–' : `${grouped(sum(values))}/s`);
  const most = (values: readonly (number | null)[]): string => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? '–' : `${Math.max(...known).toFixed(1)} ms`;
  };
  const committed = Math.max(0, ...nodes.map(({ report }) => report?.log.commitIndex ?? 0));
  const waiting = sum(live.map(({ report }) => (report?.waiting.puts ?? 0) + (report?.waiting.reads ?? 0)));
  const parts = [
    `puts ${rate(metrics.map(({ putsPerSecond }) => putsPerSecond))}`,
    `reads ${rate(metrics.map(({ readsPerSecond }) => readsPerSecond))}`,
    `p50 ${most(metrics.map(({ putP50Ms }) => putP50Ms))}`,
    `p99 ${most(metrics.map(({ putP99Ms }) => putP99Ms))}`,
    `sync ${most(metrics.map(({ syncMs }) => syncMs))}`,
    `waiting ${grouped(waiting)}`,
    `committed ${grouped(committed)}`,
  ];
  return wrapped(parts.map((part) => part.replaceAll(' ', '\u00a0')).join(' · '), columns).map((line) =>
    line.replaceAll('\u00a0', ' '),
  );
}

function newsLines({ news, columns }: Drawing, paint: Paint): readonly string[] {
  return news.flatMap(({ atMs, text, node, tone }) => {
    const by = text.startsWith(`${node} `) || text.startsWith(`${node}'`) ? '' : ` (${node})`;
    const [first = '', ...rest] = wrapped(`${text}${by}`, columns - 10);
    return [
      `${paint(timeOfDay(atMs), DIM)}  ${paint(first, COLOUR[tone] ?? 39)}`,
      ...rest.map((line) => `${' '.repeat(10)}${line}`),
    ];
  });
}

/** Broken between words into lines of at most so many characters; nothing for nothing. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((one) => one !== '')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Cut to the columns there are; what is cut loses its colours. */
function cutTo(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= columns ? line : `${plain.slice(0, Math.max(0, columns - 1))}…`;
}
