import type { Identity } from '../../src/seams/index.js';
import type { TransportReasons } from '../../src/testing/index.js';

/** What the transports of this package say when a connection ends. */
export const REASONS: TransportReasons = {
  closedByPeer: /the connection was closed/,
  // After three beats of 20 ms, and at most four times as many where the machine is busy.
  silent: /^nothing was heard of it for (60|80|1[02468]0|2[024]0) ms$/,
  noAnswer: /^no answer in time$/,
  overfull: /^it takes nothing of what is sent to it$/,
  otherCluster: /belongs to cluster other/,
  sameId: /two nodes have the id b/,
  itself: /dialed itself/,
  otherDirectory: /another data directory/,
  otherPeer: /b answers where c was expected/,
};

export const identityOf = (nodeId: string): Identity => {
  return { clusterId: 'cluster', nodeId, incarnation: `of ${nodeId}` };
};
