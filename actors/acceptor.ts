import { fromCallback } from 'xstate';
import type { Clock } from '../src/seams/clock.js';
import type { Identity, LinkSettings, Transport } from '../src/seams/transport.js';
import type { AcceptorReport } from './reports.js';

export interface AcceptorInput {
  readonly transport: Transport;
  readonly identity: Identity;
  readonly clock: Clock;
  readonly settings: LinkSettings;
}

/** Takes peers' connections for as long as the node is active, and turns what comes in into the chart's events. */
export const acceptor = fromCallback<{ type: 'never' }, AcceptorInput>(({ input, sendBack }) => {
  const { transport, identity, clock, settings } = input;
  const report = (event: AcceptorReport): void => sendBack(event);
  return transport.accept(
    identity,
    {
      arrived: (from) => report({ type: 'peer.arrived', from }),
      received: (from, message) => report({ type: 'peer.received', from, message, atMs: clock.now() }),
      heard: (from) => report({ type: 'peer.heard', from, atMs: clock.now() }),
      refused: (reason) => report({ type: 'peer.refused', reason }),
    },
    settings,
  );
});
