import {
  answerPeer,
  forwardProposal,
  forwardRead,
  noteUndeliverable,
  refuseProposal,
  refuseRead,
} from '../../src/raft/clients.js';
import { NO_DEADLINE_MS } from '../../src/raft/kinds.js';
import { propose } from '../../src/raft/leading.js';
import { beginParkedReads, beginRead } from '../../src/raft/reads.js';
import { rule, ruleOfState } from './rule.js';

/** Requests of this node's own callers; those of its peers are messages. */
export const clientActions = {
  propose: rule('client.proposed', (state, { requestId, commands }, surroundings) =>
    propose(state, { from: null, requestId, commands }, surroundings),
  ),
  forwardProposal: rule('client.proposed', (state, { requestId, commands, remainingMs = NO_DEADLINE_MS }) =>
    forwardProposal(state, { requestId, remainingMs, commands }),
  ),
  refuseProposal: rule('client.proposed', (state, { requestId }) => refuseProposal(state, { from: null, requestId })),
  beginRead: rule('client.read', (state, { requestId }) => beginRead(state, { from: null, requestId })),
  beginParkedReads: ruleOfState((state) => beginParkedReads(state)),
  forwardRead: rule('client.read', (state, { requestId }) => forwardRead(state, requestId)),
  refuseRead: rule('client.read', (state, { requestId }) => refuseRead(state, { from: null, requestId })),
  answerPeer: rule('client.answered', (state, { to, message }) => answerPeer(state, to, message)),
  noteUndeliverable: rule('link.undeliverable', (state, { message }) => noteUndeliverable(state, message)),
};
