import { WebSocket } from 'ws';
import { processNames } from '../dns/process-names.js';
import type { Clock } from '../seams/clock.js';
import { NOT_HEARD } from '../wire/connections.js';
import type { AskedMember } from './asked-member.js';
import { endSoon } from './end-soon.js';

/** The close code for what a policy forbids: the member's own reason is passed on. */
const POLICY = 1008;
/** A member that lives takes a connection within this time. */
const DIAL_WITHIN_MS = 10_000;
/** The member is read no further while this node holds so much for a reader that takes less. */
const MOST_UNSENT_BYTES = 1024 * 1024;

export interface RelayedStream {
  /** The path of the member's WebSocket that is read. */
  readonly path: string;
  readonly protocol: string;
  readonly clock: Clock;
  /** The reader's address, if it is not on this machine: the member is told it, as by a proxy, and decides itself whom it lets look. */
  readonly readerAt: string | undefined;
}

/**
 * Passes the messages of another member's WebSocket on to one of this node's, as fast as that takes them, until either ends. Nothing goes the other
 * way. Where the member ends, or cannot be reached, the reader is told why in the reason of the close.
 */
export function relayMember(
  { id, address }: AskedMember,
  { path, protocol, clock, readerAt }: RelayedStream,
  reader: WebSocket,
): void {
  const member = new WebSocket(`ws://${address}${path}`, protocol, {
    perMessageDeflate: false,
    handshakeTimeout: DIAL_WITHIN_MS,
    headers: readerAt === undefined ? {} : { 'X-Forwarded-For': readerAt },
    lookup: processNames.lookup,
  });
  let problem = `${id} has ended this stream`;
  const flow = (): void => {
    if (reader.bufferedAmount <= MOST_UNSENT_BYTES && member.isPaused) member.resume();
  };
  member.on('message', (data) => {
    reader.send(data as Buffer, { binary: false }, flow);
    if (reader.bufferedAmount > MOST_UNSENT_BYTES) member.pause();
  });
  member.on('error', ({ message }) => {
    problem = `${id} does not answer this node at ${address}: ${message}`;
  });
  member.once('close', (code, reason) => {
    if (reader.readyState === reader.CLOSED) return;
    if (code === POLICY) endSoon(reader, clock, POLICY, `${id}: ${reason}`);
    else endSoon(reader, clock, NOT_HEARD, problem);
  });
  reader.once('close', () => member.terminate());
}
