import { isDialable } from '../client/endpoint.js';
import type { HeardNode } from '../report/cluster-picture.js';
import { byId } from '../report/cluster-picture.js';
import type {
  EventStream,
  MetricsHistory,
  NodeMetrics,
  NodeNews,
  NodeReport,
  StreamHello,
} from '../report/node-report.js';
import type { Way } from './node-stream.js';
import { NodeStream } from './node-stream.js';

const MOST_NEWS = 100;

/** News, with the node that tells them. */
export interface HeardNews extends NodeNews {
  readonly node: string;
}

/** A node as it is heard, and what it does. */
export interface WatchedNode extends HeardNode {
  readonly metrics: NodeMetrics | null;
}

interface Heard {
  readonly stream: NodeStream;
  /** Its own address, and the member that another node was asked about; undefined where that address was asked itself. */
  readonly asked: { readonly address: string; member: string | undefined };
  hello: StreamHello | null;
  report: NodeReport | null;
  metrics: NodeMetrics | null;
  /** Monotonic ms. */
  heardAtMs: number;
  isOpen: boolean;
  lastReason: string | null;
  /** Whether it has said how it is, or has been found to be silent. */
  isTried: boolean;
}

/** The newest reports of all nodes of a cluster: of those that are asked, and of the members that these name. */
export class HeardCluster {
  readonly #heard = new Map<string, Heard>();
  readonly #changed: () => void;
  #news: readonly HeardNews[] = [];

  /** `changed` is called whenever something was heard. */
  constructor(endpoints: readonly string[], changed: () => void) {
    this.#changed = changed;
    for (const endpoint of endpoints) this.#listenTo(endpoint);
  }

  /** The nodes in the order of their ids: all members, as soon as any node has named them. */
  get nodes(): readonly WatchedNode[] {
    const members = this.#members();
    const all =
      members.length > 0
        ? members.map(({ id, address }) => [id, address, this.#find(id, address)] as const)
        : [...this.#heard].map(([address, heard]) => [heard.hello?.id ?? address, address, heard] as const);
    return all.map(([id, address, heard]) => watched(id, address, heard)).sort((one, other) => byId(one.id, other.id));
  }

  /** Newest first. */
  get news(): readonly HeardNews[] {
    return this.#news;
  }

  /** The cluster's own name, where it has one. */
  get name(): string | null {
    return [...this.#heard.values()].find(({ hello }) => hello !== null)?.hello?.cluster ?? null;
  }

  /** Whether each node has told how it is, or is known not to answer. */
  get isComplete(): boolean {
    return [...this.#heard.values()].every(({ isTried }) => isTried);
  }

  close(): void {
    for (const { stream } of this.#heard.values()) stream.close();
  }

  #members(): NodeReport['members'] {
    const reports = [...this.#heard.values()].flatMap(({ report }) => (report === null ? [] : [report]));
    return reports.sort((one, other) => other.term - one.term)[0]?.members ?? [];
  }

  /** A node may have been asked under another address than the members know. */
  #find(id: string, address: string): Heard | undefined {
    const open = [...this.#heard.values()].find(({ hello, isOpen }) => isOpen && hello?.id === id);
    return open ?? this.#heard.get(address) ?? [...this.#heard.values()].find(({ hello }) => hello?.id === id);
  }

  /** `id`: whose address it is; undefined where nobody knows yet. */
  #listenTo(address: string, id?: string): void {
    if (this.#heard.has(address)) return;
    const asked: Heard['asked'] = { address, member: undefined };
    const heard: Heard = {
      asked,
      stream: new NodeStream((attempt) => this.#wayTo(asked, id, attempt), {
        message: (name, data) => this.#take(heard, name, data),
        lost: (reason, times) => {
          if (heard.isOpen) heard.heardAtMs = performance.now();
          const isTried = heard.isTried || id === undefined || times > 1;
          // Why its own address did not answer is told, not why another node did not reach it.
          if (asked.member === undefined) heard.lastReason = reason;
          Object.assign(heard, { isOpen: false, isTried });
          this.#changed();
        },
      }),
      hello: null,
      report: null,
      metrics: null,
      heardAtMs: 0,
      isOpen: false,
      lastReason: null,
      isTried: false,
    };
    this.#heard.set(address, heard);
  }

  /** By turns a member's own address, and another node that answers: the address may be one that only nodes can reach. */
  #wayTo(asked: Heard['asked'], id: string | undefined, attempt: number): Way {
    const direct = [...this.#heard.values()].find((one) => one.isOpen && one.asked.member === undefined);
    const isThroughOther = attempt % 2 === 1 && direct !== undefined;
    asked.member = isThroughOther ? id : undefined;
    return isThroughOther && id !== undefined ? { address: direct.asked.address, member: id } : asked;
  }

  #take<Name extends keyof EventStream>(heard: Heard, name: Name, data: EventStream[Name]): void {
    heard.heardAtMs = performance.now();
    if (name === 'hello') Object.assign(heard, { hello: data, isOpen: true, lastReason: null });
    else if (name === 'metrics') heard.metrics = data as NodeMetrics;
    // Those of its last second are there at once.
    else if (name === 'history') heard.metrics = (data as MetricsHistory).metrics.at(-1) ?? null;
    else if (name === 'news') this.#note(heard, data as NodeNews);
    else if (name === 'report') {
      heard.report = data as NodeReport;
      heard.isTried = true;
      const isKnown = (id: string): boolean => [...this.#heard.values()].some(({ hello }) => hello?.id === id);
      for (const { id, address } of heard.report.members)
        if (!isKnown(id) && isDialable(address)) this.#listenTo(address, id);
    }
    this.#changed();
  }

  #note(heard: Heard, news: NodeNews): void {
    const node = heard.hello?.id ?? '';
    const isKnown = this.#news.some(
      (one) => one.node === node && one.sequence === news.sequence && one.atMs === news.atMs,
    );
    if (isKnown) return;
    this.#news = [{ ...news, node }, ...this.#news].sort((one, other) => other.atMs - one.atMs).slice(0, MOST_NEWS);
  }
}

function watched(id: string, address: string, heard: Heard | undefined): WatchedNode {
  const { hello = null, report = null, metrics = null, isOpen = false, heardAtMs = 0, lastReason = null } = heard ?? {};
  const isAnswering = isOpen && report !== null;
  const silentMs = isAnswering || report === null ? 0 : performance.now() - heardAtMs;
  const startCommand = hello?.startCommand ?? null;
  return { id, address, report, metrics, silentMs, isAnswering, startCommand, lastReason };
}
