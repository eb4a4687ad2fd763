import { stopChild } from 'xstate';
import { valueFor } from '../../src/raft/kinds.js';
import { beat, becomeLeader, forgetLeader, stepDown } from '../../src/raft/leading.js';
import { noteStatus } from '../../src/raft/peers.js';
import { action, rule, ruleOfState } from './rule.js';

export const leadingActions = {
  becomeLeader: ruleOfState((state, { wallMs }) => becomeLeader(state, wallMs)),
  stepDown: ruleOfState((state) => stepDown(state)),
  forgetLeader: ruleOfState((state) => forgetLeader(state)),
  beat: ruleOfState((state) => beat(state)),
  noteStatus: rule('peer.statusChanged', (state, { peer, status, missed }) => noteStatus(state, peer, status, missed)),
  announceServing: action(({ context, enqueue }) => {
    enqueue.emit({ type: 'leader.serving', term: context.state.term });
  }),
  stopReplicators: action(({ context, enqueue }) => {
    for (const ref of Object.values(context.replicators)) enqueue(stopChild(ref));
    enqueue.assign({ replicators: {} });
  }),
  restartReplicator: action(({ context, event, enqueue }) => {
    const replicator = event.type === 'link.opened' ? valueFor(context.replicators, event.peer) : undefined;
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'link.opened', leader: context.state });
  }),
  passOnRefusal: action(({ context, event, enqueue }) => {
    if (event.type !== 'link.full') return;
    const replicator = valueFor(context.replicators, event.peer);
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'append.refused', append: event.message });
  }),
  passOnRoom: action(({ context, event, enqueue }) => {
    const replicator = event.type === 'link.roomMade' ? valueFor(context.replicators, event.peer) : undefined;
    if (replicator !== undefined) enqueue.sendTo(replicator, { type: 'room.made', leader: context.state });
  }),
};
