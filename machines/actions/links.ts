import { stopChild } from 'xstate';
import { valueFor } from '../../src/raft/kinds.js';
import { noteLink } from '../../src/raft/peers.js';
import { action, notice, rule } from './rule.js';

export const linkActions = {
  noteLinkOpened: rule('link.opened', (state, { peer }) => noteLink(state, peer, true, 'connected')),
  noteLinkClosed: rule(['link.closed', 'link.delayed'], (state, { peer, reason }) =>
    noteLink(state, peer, false, reason),
  ),
  dialNow: action(({ context, event, enqueue }) => {
    const link = event.type === 'peer.arrived' ? valueFor(context.links, event.from) : undefined;
    if (link !== undefined) enqueue.sendTo(link, { type: 'peer.arrived' });
  }),
  resetLinks: action(({ context, enqueue }) => {
    const reset = { type: 'link.reset', reason: 'it led, and its disk hangs' } as const;
    for (const ref of Object.values(context.links)) enqueue.sendTo(ref, reset);
  }),
  stopLinks: action(({ context, enqueue }) => {
    for (const ref of Object.values(context.links)) enqueue(stopChild(ref));
    enqueue.assign({ links: {}, outlets: {} });
  }),
  announceRefusal: notice('peer.refused', ({ reason }) => ({ type: 'connection.refused', reason })),
};
