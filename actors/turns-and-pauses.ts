import { fromCallback } from 'xstate';
import type { Settings } from '../src/raft/settings.js';
import type { Clock } from '../src/seams/clock.js';
import { everyInterval } from '../src/seams/ticker.js';

export interface TimedByHeartbeats {
  readonly settings: Pick<Settings, 'HEARTBEAT_INTERVAL'>;
  readonly clock: Clock;
}

/** How this process and its sockets are doing, as the ElectionManager has to know before it concludes that a leader is silent. */
export type ClockEvent =
  /** From the turn of the event loop that this actor waited for: whatever lay in the sockets has been read. */
  | { readonly type: 'sockets.read'; readonly atMs: number }
  /** This process stood still, and goes on since then. */
  | { readonly type: 'pause.ended'; readonly atMs: number };

/**
 * Reports the end of one turn of the event loop. After a pause Node.js runs the timers that came due before it reads the
 * sockets, so that only then all that a peer sent meanwhile is known.
 */
export const oneTurn = fromCallback<{ type: 'never' }, { readonly clock: Clock }>(({ input: { clock }, sendBack }) => {
  let isAwaited = true;
  clock.defer(() => {
    if (isAwaited) sendBack({ type: 'sockets.read', atMs: clock.now() } satisfies ClockEvent);
  });
  return () => {
    isAwaited = false;
  };
});

/** Looks at the clock once a heartbeat, and reports when it could not for more than a whole one. */
export const pauses = fromCallback<{ type: 'never' }, TimedByHeartbeats>(({ input: { clock, settings }, sendBack }) => {
  let lookedAtMs = clock.now();
  return everyInterval(clock, settings.HEARTBEAT_INTERVAL, () => {
    const atMs = clock.now();
    const stoodStill = atMs - lookedAtMs > 2 * settings.HEARTBEAT_INTERVAL;
    lookedAtMs = atMs;
    if (stoodStill) sendBack({ type: 'pause.ended', atMs } satisfies ClockEvent);
  });
});
