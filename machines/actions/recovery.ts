import { sendTo } from 'xstate';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { lastPosition } from '../../src/raft/log-shape.js';
import { remember, resumeApplying } from '../../src/raft/recover.js';
import type { ReplicaAction } from './rule.js';
import { action, notice, rule } from './rule.js';

export const recoveryActions = {
  remember: rule('log.recovered', (state, { recovered }) => ({ state: remember(state, recovered), effects: [] })),
  announceRecovery: notice('log.recovered', ({ recovered: { term, log, tornBytes } }) => {
    return { type: 'node.recovered', term, lastIndex: lastPosition(log).index, tornBytes };
  }),
  openStateMachine: sendTo('applier', { type: 'state.open' }) as ReplicaAction,
  resumeApplying: rule('state.opened', (state, { applied }) => resumeApplying(state, applied)),
  noteLogMissing: action(({ context, event, enqueue }) => {
    if (event.type !== 'state.opened') return;
    const haltedBy = new QuorateError(
      'QUORATE_DATA_DAMAGED',
      `the state machine has applied ${event.applied} entries, and the log holds only ${context.state.log.lastIndex}: give it the data directory that belongs to it. If that is gone, leave this node stopped: without its log it has forgotten its votes`,
    );
    enqueue.assign({ haltedBy });
  }),
};
