import type { HeardNode } from '../report/cluster-picture.js';
import type { Headline } from '../report/why.js';
import { headline } from '../report/why.js';
import type { ClientFlags } from './client-flags.js';
import { clientOptions } from './client-flags.js';
import { drawCluster, headlineLines, painter } from './cluster-drawing.js';
import { EXIT } from './exit.js';
import type { WatchedNode } from './heard-cluster.js';
import { HeardCluster } from './heard-cluster.js';

const DRAW_EVERY_MS = 100;
const SECOND_MS = 1_000;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 40;
/** For the first reports of all nodes. One that says nothing by then counts as down. */
const LISTEN_MS = 1_500;

/** Prints the one sentence on the cluster. Throws where no write can succeed. */
export async function why(flags: ClientFlags): Promise<void> {
  const { endpoints, timeoutMs } = clientOptions(flags);
  const nodes = await hear(endpoints, Math.min(timeoutMs, LISTEN_MS));
  const told = headline(nodes);
  const lines = headlineLines(told, process.stdout.columns ?? Number.POSITIVE_INFINITY, painter(isColoured()));
  process.stdout.write(`${flags.json === true ? JSON.stringify(told) : lines.join('\n')}\n`);
  if (!isServed(nodes, told)) process.exitCode = EXIT.failed;
}

function hear(endpoints: readonly string[], timeoutMs: number): Promise<readonly WatchedNode[]> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      cluster.close();
      resolve(cluster.nodes);
    };
    const timer = setTimeout(done, timeoutMs);
    const cluster: HeardCluster = new HeardCluster(endpoints, () => {
      if (cluster.isComplete) done();
    });
  });
}

function isServed(nodes: readonly HeardNode[], { tone }: Headline): boolean {
  return (
    tone !== 'danger' &&
    nodes.some(({ report, isAnswering }) => isAnswering && report?.state.endsWith('leader.serving') === true)
  );
}

/** Draws the cluster again and again, in the same place; for ever: a cluster that is down for a while is what somebody watches for. */
export function watch(flags: ClientFlags): Promise<never> {
  const { endpoints } = clientOptions(flags);
  const show = flags.json === true ? jsonLines() : process.stdout.isTTY ? redrawn() : printed();
  let isDue = false;
  const cluster: HeardCluster = new HeardCluster(endpoints, () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      show(cluster);
    }, DRAW_EVERY_MS);
  });
  setInterval(() => show(cluster), SECOND_MS);
  // Nobody reads any more, as where the output goes to `head`.
  process.stdout.on('error', () => process.exit(EXIT.done));
  return new Promise(() => undefined);
}

type Show = (cluster: HeardCluster) => void;

/** On a terminal: over what was drawn before. */
function redrawn(): Show {
  process.stdout.write('\u001b[?25l\u001b[2J');
  const leave = (): void => {
    process.stdout.write('\u001b[?25h\n');
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', leave);
  process.once('SIGTERM', leave);
  return (cluster) => {
    const lines = drawn(cluster, (process.stdout.rows ?? DEFAULT_ROWS) - 1);
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
  };
}

/** Into a file or a pipe: a picture whenever more than numbers has changed. */
function printed(): Show {
  let before = '';
  return (cluster) => {
    if (!cluster.isComplete) return;
    const change = JSON.stringify(essence(cluster.nodes));
    if (change === before) return;
    before = change;
    process.stdout.write(`${drawn(cluster, DEFAULT_ROWS).join('\n')}\n\n`);
  };
}

function drawn(cluster: HeardCluster, rows: number): readonly string[] {
  const { name, nodes, news } = cluster;
  const columns = process.stdout.columns ?? DEFAULT_COLUMNS;
  return drawCluster({ name, nodes, news, rows, columns, isColoured: isColoured(), atMs: Date.now() });
}

/** A line whenever something changed, of indexes at most once a second; and a line for each piece of news. */
function jsonLines(): Show {
  let before = '';
  let indexes = '';
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  const told = new Set<string>();
  return (cluster) => {
    for (const news of [...cluster.news].reverse()) {
      const key = `${news.node} ${news.atMs} ${news.sequence}`;
      if (!told.has(key)) writeJson({ type: 'news', ...news });
      told.add(key);
    }
    if (!cluster.isComplete) return;
    const { nodes } = cluster;
    const change = JSON.stringify(essence(nodes));
    const logs = JSON.stringify(nodes.map(({ report }) => report?.log));
    const nowMs = performance.now();
    if (change === before && (logs === indexes || nowMs - writtenAtMs < SECOND_MS)) return;
    [before, indexes, writtenAtMs] = [change, logs, nowMs];
    writeJson({ type: 'cluster', atMs: Date.now(), headline: headline(nodes), nodes: nodes.map(documentOf) });
  };
}

const writeJson = (document: object): boolean => process.stdout.write(`${JSON.stringify(document)}\n`);

/** The parts of a report whose change is worth a line; the numbers that change all the time are not among them. */
function essence(nodes: readonly WatchedNode[]): unknown {
  const { tone, title } = headline(nodes);
  const parts = nodes.map(({ id, report, isAnswering }) => [
    ...[id, isAnswering, report?.term, report?.state, report?.votes, report?.notReady?.code],
    report?.links.map(({ state }) => state === 'open'),
  ]);
  return [tone, title, parts];
}

function documentOf({ id, address, report, metrics, silentMs, isAnswering, lastReason }: WatchedNode): object {
  return { id, address, answers: isAnswering, silentMs: Math.round(silentMs), reason: lastReason, report, metrics };
}

/** https://no-color.org */
function isColoured(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return process.stdout.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}
