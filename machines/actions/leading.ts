import type { AnyActorRef } from 'xstate';
import { stopChild } from 'xstate';
import type { NodeId } from '../../src/raft/kinds.js';
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
    enqueue.emit({ type: 'leader.serving', term: context.raft.term });
  }),
  stopReplicators: action(({ context, enqueue }) => {
    for (const ref of Object.values(context.replicators)) enqueue(stopChild(ref));
    enqueue.assign({ replicators: {} });
  }),
  restartReplicator: action(({ context, event, enqueue }) => {
    if (event.type === 'link.opened') enqueue.sendTo(replicatorOf(context, event.peer), { type: 'link.opened' });
  }),
  passOnRefusal: action(({ context, event, enqueue }) => {
    if (event.type !== 'link.full') return;
    enqueue.sendTo(replicatorOf(context, event.peer), { type: 'append.refused', append: event.message });
  }),
  passOnRoom: action(({ context, event, enqueue }) => {
    if (event.type === 'link.roomMade') enqueue.sendTo(replicatorOf(context, event.peer), { type: 'room.made' });
  }),
};

/** Undefined where there is none: what is sent to it then goes nowhere. */
function replicatorOf(
  { replicators }: { replicators: Readonly<Record<NodeId, AnyActorRef>> },
  peer: NodeId,
): AnyActorRef {
  return valueFor(replicators, peer) as AnyActorRef;
}
