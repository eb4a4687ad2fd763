/** What a replica is in its cluster (§5.1), or that it is not taking part yet, or not any more. The chart's state decides it. */
export type Role = 'recovering' | 'follower' | 'candidate' | 'leader' | 'halted';
