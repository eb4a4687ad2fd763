import type { NodeId, Term } from '../src/raft/kinds.js';

/** What the chart tells both managers: which role this node has from now on. */
export type RoleEntered =
  | { readonly type: 'follower.entered' }
  | { readonly type: 'candidate.entered'; readonly term: Term }
  | { readonly type: 'leader.entered'; readonly peers: readonly NodeId[] }
  /** The disk hangs: this node neither stands nor leads, and nothing is timed. */
  | { readonly type: 'stalled.entered' }
  | { readonly type: 'halted.entered' };

export type ElectionManagerEvent =
  | RoleEntered
  | { readonly type: 'manager.introduced'; readonly heartbeatManager: HeartbeatManagerRef }
  /** From the HeartbeatManager, asked at `atMs`: the leader spoke at `heardAtMs`, so lately that nothing was missed. */
  | { readonly type: 'leader.heard'; readonly heardAtMs: number; readonly atMs: number }
  /** From the HeartbeatManager, asked at `atMs`: nothing was heard since `quietSinceMs`, and so many heartbeats were missed. */
  | {
      readonly type: 'leader.missed';
      readonly leaderId: NodeId | null;
      readonly missed: number;
      readonly quietSinceMs: number;
      readonly atMs: number;
    }
  /** This node has voted for a candidate, which gets the time to win. */
  | { readonly type: 'vote.granted' };

export type HeartbeatManagerEvent =
  | RoleEntered
  | { readonly type: 'manager.introduced'; readonly electionManager: ElectionManagerRef }
  /** From the ElectionManager, at the end of a random timeout: what was heard of the leader? */
  | { readonly type: 'leader.sought'; readonly atMs: number }
  /** The chart's answer: when this node heard `leaderId` last; -Infinity before any leader was heard. */
  | {
      readonly type: 'leader.lastHeard';
      readonly leaderId: NodeId | null;
      readonly heardAtMs: number;
      readonly atMs: number;
    }
  /** Its first answer since the last heartbeat. */
  | { readonly type: 'peer.acknowledged'; readonly peer: NodeId };

export interface ElectionManagerRef {
  send(event: ElectionManagerEvent): void;
}

export interface HeartbeatManagerRef {
  send(event: HeartbeatManagerEvent): void;
}
