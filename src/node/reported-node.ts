import type { QuorateError } from '../errors/quorate-error.js';
import type { ReplicaSettings } from '../raft/settings.js';
import { priorityOf } from '../raft/settings.js';
import type { Replica } from '../replica/replica.js';
import type { NodeStatus } from '../replica/status.js';
import { EVENTS_VERSION, type StreamHello } from '../report/node-report.js';
import type { ReportedNode } from '../report/report-maker.js';
import { ownNameOf } from './declared-options.js';
import type { NodeResources, ResourceOptions } from './resources.js';
import { VERSION } from './version.js';

/** The first message of a node's event streams. */
export function helloOf(
  { id, cluster, startCommand }: ResourceOptions,
  { identity, address }: NodeResources,
  settings: ReplicaSettings,
): StreamHello {
  return {
    version: EVENTS_VERSION,
    id,
    clusterId: identity.clusterId,
    cluster: ownNameOf(cluster) ?? null,
    address,
    release: VERSION,
    startCommand: startCommand ?? null,
    settings: {
      electionTimeoutMinMs: settings.ELECTION_TIMEOUT_MIN,
      electionTimeoutMaxMs: settings.ELECTION_TIMEOUT_MAX,
      heartbeatMs: settings.HEARTBEAT_INTERVAL,
      maxMissedHeartbeats: settings.MAX_MISSED_HEARTBEATS,
      priority: priorityOf(settings),
    },
  };
}

/** A node as its reporter sees it. */
export function reportedNode<Result>(
  node: { status(): NodeStatus; whyNotReady(): QuorateError | undefined },
  replica: Replica<Result>,
): ReportedNode {
  return {
    actor: replica.actor,
    get state() {
      return replica.state;
    },
    status: () => node.status(),
    whyNotReady: () => node.whyNotReady(),
    haltReason: () =>
      replica.haltedBy === null && replica.actor.getSnapshot().status !== 'error' ? null : replica.haltReason(),
    waiting: () => replica.waiting,
  };
}
