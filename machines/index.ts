export { type LeadershipNews, type LedNode, leadership } from './leadership.js';
export { type InvokedReplicaInput, type ReplicaReply, type ReplicaRequest, replica } from './replica.js';
export type { ClientEvent, PeerEvent, ReplicaContext, ReplicaEvent, ReplicaInput } from './replica-context.js';
export { replicaMachine } from './replica-machine.js';
export { roleOf } from './role.js';
