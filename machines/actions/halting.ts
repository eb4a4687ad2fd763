import { action, notice } from './rule.js';

export const haltActions = {
  noteHalt: action(({ event, enqueue }) => {
    enqueue.assign({ haltedBy: errorOf(event) });
  }),
  announceHalt: action(({ context, enqueue }) => {
    enqueue.emit({ type: 'node.halted', error: context.haltedBy ?? new Error('unknown') });
  }),
  announceStall: notice('log.stalled', (report) => report),
  announceResumption: notice('log.resumed', (report) => report),
};

/** The error in a report of failure, or in what XState says of an actor that failed. */
function errorOf(event: object): Error {
  const { error } = event as { error?: unknown };
  return error instanceof Error ? error : new Error(String(error));
}
