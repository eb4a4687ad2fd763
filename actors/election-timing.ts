import type { ReplicaSettings } from '../src/raft/settings.js';
import { priorityOf, TOP_PRIORITY } from '../src/raft/settings.js';
import type { ElectionManagerEvent } from './events.js';

export type Silence = Extract<ElectionManagerEvent, { type: 'silence.measured' }>;

/** Each survivor of a leader that is gone stands so much later than the one before it, ms: enough for an election between two that can hear each other. */
export const STEP_MS = 20;

/**
 * How much longer a follower of a lower priority listens than its random timeout, ms: a quarter of the longest timeout for each step below
 * the top, and half of that after each wait in which nobody was elected. It decides when a node stands, never who may lead.
 */
export function yieldMs(settings: ReplicaSettings, waitsInVain: number): number {
  const steps = TOP_PRIORITY - priorityOf(settings);
  return (steps * settings.ELECTION_TIMEOUT_MAX) / 4 / 2 ** waitsInVain;
}

interface Wait {
  readonly timeoutMs: number;
  readonly quietSinceMs: number;
}

/** The wait's beginning, or when the leader was last heard, whichever is later. */
export function quietSince({ quietSinceMs }: Wait, { heardAtMs }: Silence): number {
  return Math.max(quietSinceMs, heardAtMs);
}

export function isQuiet(wait: Wait, silence: Silence): boolean {
  return silence.atMs - quietSince(wait, silence) >= wait.timeoutMs;
}

export function inWords(wait: Wait, silence: Silence): string {
  const { leaderId, heardAtMs, missed, atMs } = silence;
  if (leaderId === null) return `no leader for ${Math.round(atMs - quietSince(wait, silence))} ms`;
  return `nothing from leader ${leaderId} for ${Math.round(atMs - heardAtMs)} ms, ${missed} heartbeats missed`;
}
