import { byId } from '../../../report/cluster-picture.js';
import type { MemberReport, NodeMetrics, NodeNews, NodeReport, StreamHello } from '../../../report/node-report.js';
import type { TimedReport } from './aligned.js';
import { reportAt, withNewest } from './aligned.js';
import { ClockOffset } from './clock-offset.js';
import type { ClusterView, NodeView } from './cluster-view.js';
import { clusterView } from './cluster-view.js';
import { Feed } from './feed.js';
import { History } from './history.js';
import { MarkKeeper } from './marks.js';

/** A node sends a report at least once a second. One that has been silent for longer does not answer, whatever its connection says. */
const SILENT_AFTER_MS = 2_000;
const FRESH_METRICS_MS = 1_600;
/** Logs are compared as they were so long ago: by then each node's report of that time has come. */
const COMPARED_AT_MS = 150;
/** The page itself was not run for so long: silence is counted from then on. */
const SLEPT_MS = 700;

/** This page's knowledge of one node. */
interface KnownNode {
  readonly id: string;
  address: string;
  hello: StreamHello | null;
  recent: readonly TimedReport[];
  metrics: NodeMetrics | null;
  /** All by the browser's clock. */
  reportAtMs: number;
  metricsAtMs: number;
  lastHeardMs: number | null;
  isOpen: boolean;
  isThroughOwn: boolean;
  /** Whether it answered when that was last looked at: a change of it is news. */
  answered: boolean;
  nextTryMs: number | null;
  reason: string | null;
  readonly clock: ClockOffset;
}

/**
 * Merges the streams of all nodes. Whoever reads the streams says who told what and when it arrived (ms of the browser's
 * clock); `view` says what the cluster is like at a moment.
 */
export class ClusterModel {
  readonly feed = new Feed();
  readonly history = new History();
  readonly marks = new MarkKeeper();
  readonly #nodes = new Map<string, KnownNode>();
  readonly #startedMs: number;
  #tickedMs: number;
  #wokeMs: number;
  /** Which node serves this page; known once it has answered. */
  #ownId: string | null = null;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
    this.#tickedMs = startedMs;
    this.#wokeMs = startedMs;
  }

  get ownId(): string | null {
    return this.#ownId;
  }

  /** A node's stream is open. `isOwn`: it came from where this page came from; `isThroughOwn`: it was asked for there. */
  hello(hello: StreamHello, nowMs: number, isOwn: boolean, isThroughOwn = false): void {
    if (isOwn) this.#ownId = hello.id;
    const node = this.#node(hello.id, hello.address);
    node.address = hello.address;
    node.hello = hello;
    node.isOpen = true;
    node.isThroughOwn = isThroughOwn;
    node.nextTryMs = null;
    node.reason = null;
    this.#heard(node, nowMs);
  }

  report(id: string, report: NodeReport, nowMs: number): void {
    const node = this.#node(id, '');
    node.reportAtMs = nowMs;
    node.clock.heard(report.atMs, nowMs);
    node.recent = withNewest(node.recent, { atMs: report.atMs + node.clock.offsetMs, report });
    this.#heard(node, nowMs);
    for (const member of report.members) this.#meet(member);
    this.marks.look(this.view(nowMs));
  }

  metrics(id: string, metrics: NodeMetrics, nowMs: number): void {
    const node = this.#node(id, '');
    node.metrics = metrics;
    node.metricsAtMs = nowMs;
    this.#heard(node, nowMs);
    const atMs = metrics.atMs + node.clock.offsetMs;
    this.history.heard(id, metrics, atMs);
    const view = this.view(nowMs);
    if (view.leader?.id !== id) return;
    for (const { id: follower, trails } of view.nodes) if (trails !== null) this.history.trails(follower, trails, atMs);
  }

  /** Adds the metrics of a node, oldest first, from before its stream was opened. Its newest are those of its last second. */
  pastMetrics(id: string, all: readonly NodeMetrics[]): void {
    const node = this.#node(id, '');
    for (const metrics of all) {
      const atMs = metrics.atMs + node.clock.offsetMs;
      this.history.heard(id, metrics, atMs);
      for (const [peer, entries] of Object.entries(metrics.behind ?? {})) this.history.trails(peer, entries, atMs);
      Object.assign(node, { metrics, metricsAtMs: atMs });
    }
  }

  news(id: string, news: NodeNews, nowMs: number): void {
    const node = this.#node(id, '');
    this.#heard(node, nowMs);
    this.feed.heard(id, news, node.clock.offsetMs);
    if (news.event !== 'role.changed' || news.details.role !== 'leader') return;
    this.marks.elected(id, news.term, this.feed.termBegan(news.term) ?? news.atMs + node.clock.offsetMs);
  }

  /** The connection to a node ended, or did not come about, and is tried again at `nextTryMs`. */
  lost(id: string, reason: string | null, nextTryMs: number | null): void {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    node.isOpen = false;
    node.reason = reason;
    node.nextTryMs = nextTryMs;
  }

  /** Looks at who answers no more. To be called several times a second. */
  tick(nowMs: number): void {
    if (nowMs - this.#tickedMs > SLEPT_MS) this.#wokeMs = nowMs;
    this.#tickedMs = nowMs;
    for (const node of this.#nodes.values()) {
      const answers = this.#answers(node, nowMs);
      if (node.answered && !answers) this.#noticeLoss(node, nowMs);
      node.answered = answers;
    }
  }

  view(nowMs: number): ClusterView {
    const nodes = [...this.#nodes.values()].sort((one, other) => byId(one.id, other.id));
    return clusterView(
      nodes.map((node) => this.#viewOf(node, nowMs)),
      (term) => this.feed.termBegan(term),
      nowMs,
    );
  }

  /** Every member that is known, with its address. */
  get addresses(): readonly { readonly id: string; readonly address: string }[] {
    return [...this.#nodes.values()].map(({ id, address }) => ({ id, address }));
  }

  /** Whether a node that answers has a connection to this one; null where no other node answers. */
  isHeardByOthers(id: string, nowMs: number): boolean | null {
    const others = [...this.#nodes.values()].filter((node) => node.id !== id && this.#answers(node, nowMs));
    if (others.length === 0) return null;
    const links = others.flatMap(({ recent }) => recent.at(-1)?.report.links ?? []);
    return links.some(({ peer, state }) => peer === id && state === 'open');
  }

  get clusterId(): string | null {
    return [...this.#nodes.values()].find(({ hello }) => hello !== null)?.hello?.clusterId ?? null;
  }

  #heard(node: KnownNode, nowMs: number): void {
    node.lastHeardMs = nowMs;
    node.answered = node.isOpen;
  }

  #answers({ isOpen, lastHeardMs }: KnownNode, nowMs: number): boolean {
    return isOpen && lastHeardMs !== null && nowMs - Math.max(lastHeardMs, this.#wokeMs) < SILENT_AFTER_MS;
  }

  #noticeLoss({ id, lastHeardMs }: KnownNode, nowMs: number): void {
    const others = [...this.#nodes.values()].filter((other) => other.id !== id && this.#answers(other, nowMs));
    const goesOn =
      others[0] === undefined ? 'No other node answers this page.' : `This page goes on with ${others[0].id}.`;
    const text = `${id} answers no more. ${goesOn}`;
    this.feed.noticed({ event: 'page.lost', tone: 'danger', text }, lastHeardMs ?? nowMs);
  }

  #viewOf(node: KnownNode, nowMs: number): NodeView {
    const { id, address, hello, recent, clock } = node;
    const isAnswering = this.#answers(node, nowMs);
    return {
      id,
      address,
      report: reportAt(recent, nowMs - COMPARED_AT_MS),
      isAnswering,
      silentMs: isAnswering ? 0 : nowMs - (node.lastHeardMs ?? this.#startedMs),
      wasHeard: node.lastHeardMs !== null,
      startCommand: hello?.startCommand ?? null,
      lastReason: node.isOpen ? null : node.reason,
      hello,
      metrics: isAnswering && nowMs - node.metricsAtMs < FRESH_METRICS_MS ? node.metrics : null,
      reportAgeMs: nowMs - node.reportAtMs,
      lateMs: isAnswering ? clock.lateMs : 0,
      nextTryMs: node.nextTryMs === null ? null : Math.max(0, node.nextTryMs - nowMs),
      isOwn: id === this.#ownId,
      isThroughOwn: node.isThroughOwn,
      status: null,
      trails: null,
      isDown: false,
    };
  }

  #meet({ id, address }: MemberReport): void {
    const node = this.#node(id, address);
    if (!node.isOpen) node.address = address;
  }

  #node(id: string, address: string): KnownNode {
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const node: KnownNode = {
      id,
      address,
      hello: null,
      recent: [],
      metrics: null,
      reportAtMs: 0,
      metricsAtMs: 0,
      lastHeardMs: null,
      isOpen: false,
      isThroughOwn: false,
      answered: false,
      nextTryMs: null,
      reason: null,
      clock: new ClockOffset(),
    };
    this.#nodes.set(id, node);
    return node;
  }
}
