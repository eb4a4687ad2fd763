export type { ClientEvent, PeerEvent, ReplicaContext, ReplicaEvent, ReplicaInput } from './context.js';
export { type LeadershipNews, type LedNode, leadership } from './leadership.js';
export { replicaMachine } from './replica-machine.js';
export { roleOf } from './role.js';
