import type { AnyEventObject } from 'xstate';

/** Events that come all the time. One that changes a state is told of all the same. */
const QUIET: ReadonlySet<string> = new Set([
  'heartbeat.due',
  'beat',
  'peer.answered',
  'peer.heard',
  'silence.asked',
  'silence.measured',
  'lastHeard.asked',
  'lastHeard.told',
  'append.accepted',
  // While a peer receives a snapshot, its leader tells it to at each heartbeat.
  'install.ordered',
  'round.began',
  'votes.overdue',
  'sockets.read',
]);

/** Whether an event of a node's actors is a heartbeat, an answer to one, an order that comes with each, or a timer that only starts anew. */
export function isQuietEvent(event: AnyEventObject): boolean {
  const { type } = event;
  if (QUIET.has(type) || type.startsWith('xstate.after.')) return true;
  if (type !== 'peer.received') return false;
  const { kind, entries, accepted } = Object(event.message) as Readonly<Record<string, unknown>>;
  if (kind === 'append') return Array.isArray(entries) && entries.length === 0;
  if (kind === 'install') return true;
  return kind === 'append-reply' && accepted === true;
}

/**
 * An event as viewers may see it. The state machine's results are a user's data, of any type, so only their number is shown.
 * Bytes are shown everywhere by their number only.
 */
export function withoutResults(event: AnyEventObject): AnyEventObject {
  if (!Array.isArray(event.results)) return event;
  return { ...event, results: `${event.results.length} in number` };
}
