import type { QuorateError } from '../errors/quorate-error.js';
import type { NodeNotice } from '../raft/effects.js';
import type { Clock } from '../seams/clock.js';
import type { LogStore } from '../seams/log-store.js';
import type { Transport } from '../seams/transport.js';
import { CountedTransport } from './counted-transport.js';
import { EventLoopWatch, eventLoopSampler } from './event-loop-watch.js';
import { KeptMetrics, KeptNews } from './kept.js';
import { MeasuredCalls } from './measured-calls.js';
import { MetricsMaker } from './metrics-maker.js';
import type { EventStream, NodeReport, StreamHello } from './node-report.js';
import type { MetricSources, Scrapes } from './prometheus.js';
import type { ReportedNode } from './report-maker.js';
import { ReportMaker } from './report-maker.js';
import { SnapshotCounts } from './snapshot-counts.js';
import { TimedLogStore } from './timed-log-store.js';
import { TrailWatch } from './trail-watch.js';
import { NewsWriter, type Told, unknownPuts } from './words.js';

/** Reports come at most so often, and are looked for as often while anybody reads. */
const REPORT_EVERY_MS = 100;
/** Without any change a report comes after so many of them. */
const REPORTS_A_SECOND = 10;
/** Up to this many readers get every report. More get fewer, at least one a second, so that they cost no more than these do. */
const MANY_READERS = 25;
const METRICS_EVERY_MS = 1_000;
/** Puts that end as unknown one after the other are told of together. */
const UNKNOWN_TOGETHER_MS = 1_000;
const UNKNOWN_AT_FIRST_MS = 20;

/** Gets what `GET /v1/events` streams, each message under its name and as JSON. */
interface EventReader {
  send(name: keyof EventStream, json: string): void;
  /** Nothing more comes: the node is closed. */
  end(): void;
}

export interface ReporterOptions {
  readonly clock: Clock;
  readonly hello: StreamHello;
  readonly log: LogStore;
  readonly transport: Transport;
}

/**
 * Makes the reports, metrics and news of one node. Reports are made only while somebody reads them; metrics are counted all the time,
 * once for each batch, and taken once a second. The newest 200 news are always kept.
 */
export class NodeReporter {
  /** The node uses this log, transport and call meter, so that they are measured. */
  readonly log: TimedLogStore;
  readonly transport: CountedTransport;
  readonly calls: MeasuredCalls;
  readonly #clock: Clock;
  readonly #hello: StreamHello;
  readonly #news = new KeptNews();
  readonly #writer: NewsWriter;
  readonly #loop = new EventLoopWatch();
  readonly #readers = new Set<EventReader>();
  readonly #trails: TrailWatch;
  readonly #metrics: MetricsMaker;
  readonly #history = new KeptMetrics();
  #node: ReportedNode | undefined;
  #maker: ReportMaker | undefined;
  #timer: unknown;
  #metricsTimer: unknown;
  #ticks = 0;
  /** The last report that was sent, without its time. */
  #lastSent = '';
  #first = { madeAtMs: Number.NEGATIVE_INFINITY, json: '' };
  #unknown = { count: 0, lastAfterMs: 0, timer: undefined as unknown, toldAtMs: Number.NEGATIVE_INFINITY };
  #elections = { started: 0, leaderChanges: 0 };
  readonly #snapshots = new SnapshotCounts();
  #scrapes: Promise<Scrapes> | undefined;
  #isClosed = false;

  constructor({ clock, hello, log, transport }: ReporterOptions) {
    this.#clock = clock;
    this.#hello = hello;
    this.log = new TimedLogStore(log, clock);
    this.transport = new CountedTransport(transport, clock);
    this.calls = new MeasuredCalls(clock, (afterMs) => this.#noteUnknown(afterMs));
    this.#writer = new NewsWriter(hello.id);
    this.#trails = new TrailWatch(clock, (told) => this.#tell(told));
    this.#metrics = new MetricsMaker(this.calls, this.log.syncs, this.#loop);
  }

  /** The node exists now: it can be asked. */
  attach(node: ReportedNode): void {
    this.#node = node;
    this.#maker = new ReportMaker(node, this.transport);
    this.#metrics.begin(this.#clock.now());
    this.#measureLater();
  }

  /** Something happened; called before the node's state says so. */
  notice(notice: NodeNotice): void {
    const node = this.#node;
    if (node === undefined) return;
    if (notice.type === 'election.started') this.#elections.started += 1;
    if (notice.type === 'leader.changed' && notice.leaderId !== null) this.#elections.leaderChanges += 1;
    this.#snapshots.notice(notice);
    const waitingPuts = notice.type === 'leader.serving' ? node.waiting().commands : 0;
    const told = this.#writer.write(notice, { nowMs: this.#clock.now(), state: node.state, waitingPuts });
    if (told !== undefined) this.#tell(told);
    if (notice.type === 'role.changed') this.#trails.follow(notice.role === 'leader' ? node : undefined);
  }

  /** Sends a reader all there is, and from then on what comes. Returns how to stop. */
  watch(reader: EventReader): () => void {
    reader.send('hello', JSON.stringify(this.#hello));
    const report = this.#firstReport();
    if (report !== undefined) reader.send('report', report);
    reader.send('history', this.#history.json);
    for (const news of this.#news) reader.send('news', news);
    if (this.#isClosed) {
      reader.end();
      return () => undefined;
    }
    this.#readers.add(reader);
    this.#start();
    return () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#stop();
    };
  }

  /** A read was answered with what this node happens to have. */
  countStaleRead(): void {
    this.calls.staleReads += 1;
  }

  /** An HTTP request was answered with this error. */
  countError(error: QuorateError): void {
    this.calls.answered(error);
  }

  /** All metrics as Prometheus reads them. Its library is loaded at the first scrape. */
  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    this.#scrapes ??= import('./prometheus.js').then(({ openMetrics }) => openMetrics(this.#metricSources));
    const scrapes = await this.#scrapes;
    return { type: scrapes.type, text: await scrapes.scrape() };
  }

  get #metricSources(): MetricSources {
    return {
      hello: this.#hello,
      calls: this.calls,
      syncs: this.log.syncs,
      unsyncedBytes: () => this.log.unsyncedBytes,
      traffic: (peer) => this.transport.with(peer),
      elections: () => this.#elections,
      snapshots: this.#snapshots,
      snapshotBytes: this.transport.snapshotBytes,
      report: () => this.#makeReport() as NodeReport,
      sampleEventLoop: eventLoopSampler(this.#clock),
    };
  }

  /** The last things are told, and every reader's stream ends. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#trails.follow(undefined);
    this.#clock.clearTimeout(this.#unknown.timer);
    this.#clock.clearTimeout(this.#metricsTimer);
    this.#sendReport(this.#makeReport());
    this.#stop();
    for (const reader of [...this.#readers]) reader.end();
    this.#readers.clear();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#ticks = 0;
    this.#loop.start();
    this.#tickLater();
  }

  #stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#loop.stop();
  }

  #tickLater(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#tickLater();
      this.#tick();
    }, REPORT_EVERY_MS);
  }

  #tick(): void {
    this.#ticks += 1;
    const isFull = this.#ticks % REPORTS_A_SECOND === 0;
    const among = Math.min(REPORTS_A_SECOND, Math.ceil(this.#readers.size / MANY_READERS));
    if (this.#ticks % among !== 0 && !isFull) return;
    const report = this.#makeReport();
    if (report !== undefined) this.#sendReport(report, isFull);
  }

  #measureLater(): void {
    this.#clock.clearTimeout(this.#metricsTimer);
    this.#metricsTimer = this.#clock.setTimeout(() => {
      this.#measureLater();
      this.#measure();
    }, METRICS_EVERY_MS);
  }

  #measure(): void {
    const metrics = this.#metrics.take(this.#clock.now(), this.#clock.wallNow(), this.#node?.state);
    this.#history.add(metrics);
    if (this.#readers.size > 0) this.#sendAll('metrics', JSON.stringify(metrics));
  }

  /** For a reader that comes: the same for all that come within a tenth of a second, because a crowd may come again at once. */
  #firstReport(): string | undefined {
    const nowMs = this.#clock.now();
    if (nowMs - this.#first.madeAtMs < REPORT_EVERY_MS) return this.#first.json;
    const report = this.#makeReport();
    if (report === undefined) return undefined;
    if (this.#readers.size === 0) this.#lastSent = contentOf(report);
    this.#first = { madeAtMs: nowMs, json: JSON.stringify(report) };
    return this.#first.json;
  }

  #makeReport(): NodeReport | undefined {
    return this.#maker?.make(this.#clock.now(), this.#clock.wallNow(), this.calls.endedUnknown);
  }

  #sendReport(report: NodeReport | undefined, evenUnchanged = true): void {
    if (report === undefined) return;
    const content = contentOf(report);
    if (!evenUnchanged && content === this.#lastSent) return;
    this.#lastSent = content;
    this.#sendAll('report', JSON.stringify(report));
  }

  #tell(told: Told): void {
    this.#sendAll('news', this.#news.add(told, this.#clock.wallNow()));
  }

  #sendAll(name: keyof EventStream, json: string): void {
    for (const reader of [...this.#readers]) reader.send(name, json);
  }

  #noteUnknown(afterMs: number): void {
    const unknown = this.#unknown;
    unknown.count += 1;
    unknown.lastAfterMs = afterMs;
    if (this.#isClosed) return;
    const nowMs = this.#clock.now();
    const delayMs = nowMs - unknown.toldAtMs > UNKNOWN_TOGETHER_MS ? UNKNOWN_AT_FIRST_MS : UNKNOWN_TOGETHER_MS;
    unknown.timer ??= this.#clock.setTimeout(() => this.#tellUnknown(), delayMs);
  }

  #tellUnknown(): void {
    const { count, lastAfterMs } = this.#unknown;
    this.#unknown = { count: 0, lastAfterMs: 0, timer: undefined, toldAtMs: this.#clock.now() };
    this.#tell(unknownPuts(this.#node?.state.term ?? 0, count, lastAfterMs));
  }
}

/** The report without its time: a report is sent when this differs from the last one's. */
function contentOf({ atMs: _, ...content }: NodeReport): string {
  return JSON.stringify(content);
}
