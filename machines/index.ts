export type { ReplicaContext, ReplicaInput, ReplicaTag } from './context.js';
export type { ClientEvent, ReplicaEvent } from './events.js';
export { type LeadershipNews, type LedNode, leadership } from './leadership.js';
export { replicaMachine } from './replica-machine.js';
export { roleOf } from './role.js';
