/**
 * `linearizable`: never less than any write that was acknowledged before the read began. `stale`: what the asked node has
 * applied, at once. `lease`: not in this version.
 */
export type Consistency = 'linearizable' | 'stale' | 'lease';

/** In the order of their numbers in frames. */
export const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'stale', 'lease'];
