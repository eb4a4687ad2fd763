/** The exports of `quorate/machines`: a replica's statechart, and actors to invoke in statecharts of your own. */
export * from '../machines/index.js';
export {
  type InvokedReplicaInput,
  type ReplicaReply,
  type ReplicaRequest,
  replica,
} from './replica/invoked-replica.js';
