import type { Server } from 'node:http';
import type { replicaMachine } from '../../machines/index.js';
import type { Consistency } from '../calls/call-options.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Settings } from '../raft/settings.js';
import type { Clock } from '../seams/clock.js';
import type { LogStore } from '../seams/log-store.js';
import type { Service } from '../seams/service.js';
import type { AnyStateMachine, CommandOf, ResultOf } from '../seams/state-machine.js';
import type { Transport } from '../seams/transport.js';
import type { Inspect } from './guarded-observers.js';
import type { LoggerOption } from './node-log.js';

/** The options of `ReplicaNode.open`. The four settings may stand here, in the environment, or be left to their defaults. */
export interface ReplicaNodeOptions<Machine extends AnyStateMachine> extends Partial<Settings> {
  readonly id: NodeId;
  /** host:port to listen on, for peers and clients. Port 0 takes any free one, which peers cannot know: for a node without any. */
  readonly listen?: string;
  /** host:port under which peers reach this node, where it differs from `listen`. */
  readonly advertise?: string;
  /** Every node of the cluster by id, this one included: host:port. */
  readonly peers: Readonly<Record<NodeId, string>>;
  /** Directory for the log, term and vote, and for who this node is and which peers it has met. */
  readonly dataDir?: string;
  /** The cluster's name: nodes of different clusters never talk to each other. Default `quorate`. */
  readonly cluster?: string;
  readonly stateMachine: Machine;
  /**
   * The operations that clients and HTTP may ask of the state machine, as `defineService` makes them. Default: the state machine's
   * own `service`, as the KeyValueStore has one; without any there are none.
   */
  readonly service?: Service<Machine, CommandOf<Machine>, ResultOf<Machine>>;
  /**
   * pino's, `console`, or anything with `debug`, `info`, `warn` and `error`; `false` logs nothing. Default: warnings and errors,
   * as lines of JSON on standard error.
   */
  readonly logger?: LoggerOption;
  /**
   * An http.Server of yours, which listens, or will soon, because peers cannot reach the node before: the node answers `/peer`, `/client` and its `routes` on it, and leaves all other paths
   * to you. Without it the node makes one.
   */
  readonly server?: Server;
  /**
   * With `server`: the prefix of the paths for status, health and the service's routes, `/quorate` for `/quorate/v1/status`. Default: none. False serves
   * neither them nor `/client`, where you mount `requestHandler(node)` yourself, behind an authentication of yours.
   */
  readonly routes?: string | false;
  /** Names that Host may have in requests, beside localhost, IP addresses and the peers' addresses: a service's name. */
  readonly allowHosts?: readonly string[];
  /**
   * How many connections clients may have at the same time. Default: as many as the process's limit of file descriptors
   * allows, less those that are kept for the log and the peers.
   */
  readonly maxConnections?: number;
  /**
   * XState's own: called with the inspection events of this node's actors, and of microsteps those that lead from one state to another.
   * Values and commands are their size (`{bytes: n}`), what comes of heartbeats is left out, and a context that changes while its state
   * stays is shown ten times a second at most: `inspectPayloads` gives all of it. One that throws is detached; the log says so once, and the
   * node goes on.
   */
  readonly inspect?: Inspect;
  /** Whether `inspect`, and what is attached later, is given every event as it is, values, commands and heartbeats included. Default: false. */
  readonly inspectPayloads?: boolean;
  /**
   * Whether viewers on other machines may look at the charts at `/inspector`, too; they still need what every request needs (Host,
   * Origin). Default: only this machine may.
   */
  readonly inspectRemote?: boolean;
  /**
   * A snapshot is taken after so many bytes of log, or after half as many as the last one has where that is more; and so much of the log,
   * roughly, is kept before it. Default 64 MiB.
   */
  readonly snapshotLogBytes?: number;
  /**
   * Whether a leader answers reads with `consistency: 'lease'` alone while its lease holds. It must be the same on all nodes of a cluster,
   * and assumes that no clock gains more than 10 % on another. Default: false.
   */
  readonly readLease?: boolean;
  /**
   * From 1 to 10: where the leader is gone, a node with a lower one stands for election later, so that the others lead while they can.
   * Each node has its own. Default: 10.
   */
  readonly priority?: number;
  /** Aborting it closes the node. */
  readonly signal?: AbortSignal;
  /**
   * A log of your own in place of the one under `dataDir`. If it outlives the process, give a `dataDir` too: without one the node has
   * no lasting identity, and once it restarts its peers refuse it as they refuse a node whose data is gone.
   */
  readonly storage?: LogStore;
  readonly transport?: Transport;
  readonly clock?: Clock;
  /**
   * Seed of timeouts and pauses. Default: drawn at random. Ids of requests and of a new data directory are random whatever it is, because
   * they must differ from life to life.
   */
  readonly seed?: number;
  /** The chart to run: `replicaMachine.provide(…)`, to put something else in one of its places. XState takes all of its events itself. */
  readonly machine?: typeof replicaMachine;
  /** The shell command that starts this node: shown to people while it is down. `quorate serve` gives its own, or what `--start-command` says. */
  readonly startCommand?: string;
  /** Listen beyond loopback although nothing here asks who is calling. */
  readonly insecure?: boolean;
}

/** How long a call may take and what may end it before. */
export interface CallOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /**
   * `linearizable` (default): never less than any write that was acknowledged before the read began.
   * `lease`: as linearizable, but a leader whose lease holds asks nobody (`readLease`).
   * `stale`: what this node happens to have applied, at once, with a leader or without.
   */
  readonly consistency?: Consistency;
}
