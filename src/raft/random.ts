import type { Brand } from './numbers-and-ids.js';

/** The state of a pseudo-random generator: a value, so that chance can live in a chart's context and be replayed. */
export type RandomState = Brand<number, 'RandomState'>;

export interface Draw {
  /** In [0, 1). */
  readonly value: number;
  readonly next: RandomState;
}

export function seeded(seed: number): RandomState {
  return (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0) as RandomState;
}

/** A generator of its own for each purpose or node, from one seed. */
export function derive(seed: number, label: string): RandomState {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < label.length; at += 1) hash = Math.imul(hash ^ label.charCodeAt(at), 0x01000193);
  return seeded(hash >>> 0);
}

/** mulberry32: 32 bits of state, passes gjrand; plenty for timers and simulated faults. */
export function draw(state: RandomState): Draw {
  const next = ((state + 0x6d2b79f5) >>> 0) as RandomState;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, next };
}
