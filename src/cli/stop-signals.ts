import { fromEnvironment } from '../node/serve-form.js';

/** One Ctrl-C may come as two signals, from the terminal and from whoever started this process, as `npx` does. */
const ONE_WISH_MS = 500;

/** Tells whether a signal is a second wish to end, and not an echo of the first. */
export function createSecondWish(now: () => number = () => performance.now()): () => boolean {
  let firstMs: number | undefined;
  return () => {
    firstMs ??= now();
    return now() - firstMs > ONE_WISH_MS;
  };
}

/**
 * Listens for what ends a node: SIGTERM, SIGINT, and the end of standard input where QUORATE_ENDS_WITH_INPUT is set. The first aborts
 * what is returned, with the signal's name as its reason; one that comes half a second later or more ends the process at once. Call it
 * before anything that takes time: the first process of a container loses a signal that it does not listen for.
 */
export function listenForStop(): AbortSignal {
  const controller = new AbortController();
  const isSecondWish = createSecondWish();
  const stop = (signal: NodeJS.Signals): void => {
    if (isSecondWish()) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
    controller.abort(signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (fromEnvironment('QUORATE_ENDS_WITH_INPUT', process.env) !== undefined)
    process.stdin.resume().once('close', () => stop('SIGTERM'));
  return controller.signal;
}

/** Calls `act` once `stop` is aborted, at once where it is. */
export function whenStopped(stop: AbortSignal, act: () => void): void {
  if (stop.aborted) act();
  else stop.addEventListener('abort', act, { once: true });
}
