import type { CollectFunction, Metric } from 'prom-client';
import { Counter, Gauge, Registry } from 'prom-client';
import type { CountedTransport, Traffic } from './counted-transport.js';
import type { EventLoopSample } from './event-loop-watch.js';
import type { Latencies } from './latencies.js';
import type { MeasuredCalls } from './measured-calls.js';
import type { NodeReport, StreamHello } from './node-report.js';
import type { SnapshotCounts } from './snapshot-counts.js';
import { snapshotCounters } from './snapshot-counts.js';

/** Where the numbers of a scrape come from. */
export interface MetricSources {
  readonly hello: StreamHello;
  readonly calls: MeasuredCalls;
  readonly syncs: Latencies;
  readonly unsyncedBytes: () => number;
  readonly traffic: (peer: string) => Traffic;
  readonly snapshots: SnapshotCounts;
  readonly snapshotBytes: CountedTransport['snapshotBytes'];
  readonly elections: () => { readonly started: number; readonly leaderChanges: number };
  readonly report: () => NodeReport;
  readonly sampleEventLoop: () => Promise<EventLoopSample>;
}

export interface Scrapes {
  readonly type: string;
  scrape(): Promise<string>;
}

const ROLES = ['recovering', 'follower', 'candidate', 'leader', 'halted'] as const;
/** Bounds from 0.1 ms to 13 s. */
const DOUBLINGS = 18;

type Labels = Readonly<Record<string, string>>;
type Values = readonly (readonly [labels: Labels, value: number])[];

/** A node's metrics for Prometheus, in a registry of their own. Numbers are looked up when they are scraped, and at no other time. */
export function openMetrics(sources: MetricSources): Scrapes {
  const registry = new Registry();
  const scraped = { report: sources.report(), loop: { delayMs: 0, utilization: 0 } };
  for (const one of gauges(sources, () => scraped)) register(Gauge, registry, one);
  for (const one of counters(sources, () => scraped)) register(Counter, registry, one);
  for (const [name, help, latencies] of histograms(sources)) {
    registry.registerMetric(new LatencyHistogram(name, help, latencies) as unknown as Metric);
  }
  return {
    type: registry.contentType,
    async scrape() {
      scraped.report = sources.report();
      scraped.loop = await sources.sampleEventLoop();
      return registry.metrics();
    },
  };
}

interface Scraped {
  readonly report: NodeReport;
  readonly loop: EventLoopSample;
}

type Described = readonly (readonly [
  name: string,
  help: string,
  values: () => Values | number,
  ...labels: readonly string[],
])[];

function gauges({ hello, unsyncedBytes }: MetricSources, scraped: () => Scraped): Described {
  const report = (): NodeReport => scraped().report;
  const { id, clusterId, release } = hello;
  return [
    [
      'quorate_node_info',
      'Which node this is: always 1.',
      () => [[{ id, cluster_id: clusterId, release }, 1]],
      'id',
      'cluster_id',
      'release',
    ],
    [
      'quorate_role',
      'Whether the node has this role (1) or not (0).',
      () => ROLES.map((role) => [{ role }, Number(report().role === role)]),
      'role',
    ],
    [
      'quorate_ready',
      'Whether the node should get requests, as /health/ready says.',
      () => Number(report().notReady === null),
    ],
    ['quorate_term', "The node's present term.", () => report().term],
    ['quorate_log_first_index', 'Index of the first entry that the log holds.', () => report().log.firstIndex],
    ['quorate_log_last_index', 'Index of the last entry of the log.', () => report().log.lastIndex],
    [
      'quorate_log_durable_index',
      'Up to here the log survives a crash of this machine.',
      () => report().log.durableIndex,
    ],
    ['quorate_log_commit_index', 'Up to here entries are known to be committed.', () => report().log.commitIndex],
    [
      'quorate_log_applied_index',
      'Up to here entries are applied to the state machine.',
      () => report().log.appliedIndex,
    ],
    [
      'quorate_state_agreed_index',
      'The newest entry after which this leader found that a majority of the replicas has the same state.',
      () => report().log.agreedIndex ?? 0,
    ],
    [
      'quorate_peer_halted',
      'Whether a peer said that it halts (1), and has not come back since, or not (0).',
      () => haltedPeers(report(), hello.id),
      'peer',
    ],
    [
      'quorate_snapshot_index',
      "Up to this entry the node's newest snapshot holds everything; 0 where there is none.",
      () => report().snapshot?.index ?? 0,
    ],
    ['quorate_snapshot_bytes', "Size of the node's newest snapshot.", () => report().snapshot?.bytes ?? 0],
    ['quorate_log_unsynced_bytes', 'Bytes that were appended to the log and wait for the disk.', unsyncedBytes],
    [
      'quorate_peer_lag_entries',
      'Entries of this leader that a member, the leader included, does not have on its disk; only at a leader.',
      () => lags(report()),
      'peer',
    ],
    [
      'quorate_peer_up',
      'Whether a member answers the heartbeats of this leader (1; the leader itself always) or is down (0); only at a leader.',
      () => peersUp(report()),
      'peer',
    ],
    [
      'quorate_link_open',
      "Whether the node's own connection to a peer is open (1) or not (0).",
      () => report().links.map(({ peer, state }) => [{ peer }, Number(state === 'open')]),
      'peer',
    ],
    ['quorate_waiting_puts', 'Puts of callers of this node that have no answer yet.', () => report().waiting.puts],
    ['quorate_waiting_reads', 'Reads of callers of this node that have no answer yet.', () => report().waiting.reads],
    [
      'quorate_waiting_oldest_seconds',
      'How long the oldest caller of this node has waited; 0 where nobody waits.',
      () => (report().waiting.oldestMs ?? 0) / 1_000,
    ],
    [
      'quorate_event_loop_delay_seconds',
      'How long a turn of the event loop took at the scrape.',
      () => scraped().loop.delayMs / 1_000,
    ],
    [
      'quorate_event_loop_utilization_ratio',
      'Share of the time since the last scrape in which the event loop was busy.',
      () => scraped().loop.utilization,
    ],
    ['process_resident_memory_bytes', 'Memory of the process, in bytes.', () => process.memoryUsage.rss()],
  ];
}

function haltedPeers({ members }: NodeReport, own: string): Values {
  return members
    .filter(({ id }) => id !== own)
    .map(({ id, haltedBy = null }) => [{ peer: id }, Number(haltedBy !== null)]);
}

function lags({ role, members, log }: NodeReport): Values {
  if (role !== 'leader') return [];
  return members.map(({ id, matchIndex }) => [{ peer: id }, Math.max(0, log.lastIndex - (matchIndex ?? 0))]);
}

function peersUp({ members }: NodeReport): Values {
  return members.flatMap(({ id, status }) =>
    status === null ? [] : [[{ peer: id }, Number(status !== 'down')] as const],
  );
}

function counters(sources: MetricSources, scraped: () => Scraped): Described {
  const { calls, elections, traffic } = sources;
  const peers = (): readonly string[] => scraped().report.links.map(({ peer }) => peer);
  return [
    ['quorate_puts_total', 'Commands of callers of this node that were acknowledged.', () => calls.puts.count],
    [
      'quorate_reads_total',
      'Reads of callers of this node that were answered.',
      () => [
        [{ consistency: 'linearizable' }, calls.reads.count - calls.leaseReads],
        [{ consistency: 'lease' }, calls.leaseReads],
        [{ consistency: 'stale' }, calls.staleReads],
      ],
      'consistency',
    ],
    [
      'quorate_request_errors_total',
      'Commands, reads and HTTP requests of callers of this node that ended with an error, but for NOT_FOUND.',
      () => [...calls.errors].map(([code, count]) => [{ code }, count]),
      'code',
    ],
    ['quorate_elections_started_total', 'Elections for which this node stood.', () => elections().started],
    [
      'quorate_leader_changes_total',
      'How often this node has learned of another leader.',
      () => elections().leaderChanges,
    ],
    ...snapshotCounters(sources.snapshots, sources.snapshotBytes),
    [
      'quorate_link_messages_sent_total',
      'Messages that were sent to a peer.',
      () => peers().map((peer) => [{ peer }, traffic(peer).sent]),
      'peer',
    ],
    [
      'quorate_link_messages_received_total',
      'Messages that were received from a peer.',
      () => peers().map((peer) => [{ peer }, traffic(peer).received]),
      'peer',
    ],
    ['process_cpu_seconds_total', 'Time for which the process has used processors, in seconds.', () => cpuSeconds()],
  ];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function histograms({ calls, syncs }: MetricSources): readonly (readonly [name: string, help: string, Latencies])[] {
  return [
    ['quorate_put_duration_seconds', 'From when a command of a caller came in until it was acknowledged.', calls.puts],
    [
      'quorate_read_duration_seconds',
      'From when a linearizable read of a caller came in until it could be answered.',
      calls.reads,
    ],
    ['quorate_log_sync_duration_seconds', 'How long a sync of the log took.', syncs],
  ];
}

/** A gauge or a counter whose value, or one for each set of labels, is asked for when it is scraped. */
function register(
  Kind: typeof Gauge | typeof Counter,
  registry: Registry,
  [name, help, values, ...labelNames]: Described[number],
): void {
  const collect: CollectFunction<Gauge | Counter> = function collectNow() {
    const now = values();
    this.reset();
    for (const [labels, value] of typeof now === 'number' ? withoutLabels(now) : now) this.inc(labels, value);
  };
  new Kind({ name, help, labelNames, registers: [registry], collect });
}

const withoutLabels = (value: number): Values => [[{}, value]];

/** The library's own histogram observes values one by one: this one shows what is counted already. */
class LatencyHistogram {
  readonly name: string;
  readonly #help: string;
  readonly #latencies: Latencies;

  constructor(name: string, help: string, latencies: Latencies) {
    this.name = name;
    this.#help = help;
    this.#latencies = latencies;
  }

  async get() {
    const { name } = this;
    const bucket = (le: number | '+Inf', value: number) => ({ metricName: `${name}_bucket`, labels: { le }, value });
    const { count, sumMs } = this.#latencies;
    const buckets = this.#latencies.cumulative(DOUBLINGS).map((one) => bucket(one.boundMs / 1_000, one.count));
    return {
      name,
      help: this.#help,
      type: 'histogram',
      aggregator: 'sum',
      values: [
        ...buckets,
        bucket('+Inf', count),
        { metricName: `${name}_sum`, labels: {}, value: sumMs / 1_000 },
        { metricName: `${name}_count`, labels: {}, value: count },
      ],
    };
  }
}
