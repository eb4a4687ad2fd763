import type { PeerMessage } from '../src/raft/messages.js';
import type { Connection } from '../src/seams/transport.js';

/**
 * The way out to one peer, for as long as its link lives: what the link hands out to send with, so that a message takes no event
 * of a chart. The link says which connection it leads to; while there is none, and where it takes nothing, the link is told
 * what was not sent.
 */
export class Outlet {
  #take: Connection['send'] | undefined;
  #refused: (message: PeerMessage) => void = () => undefined;

  /** Sends after all that was sent before. A message that nobody takes goes back to the link. */
  send(message: PeerMessage): void {
    if (!this.#take?.(message)) this.#refused(message);
  }

  /** `refused` is told of each message that was not sent. */
  belongTo(refused: (message: PeerMessage) => void): void {
    this.#refused = refused;
  }

  /** There is a connection: `take` sends on it, and is false where it did not. */
  open(take: Connection['send']): void {
    this.#take = take;
  }

  close(): void {
    this.#take = undefined;
  }
}
