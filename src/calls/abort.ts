type Act = () => void;

interface Shared {
  readonly acts: Set<Act>;
  readonly listener: Act;
}

const SHARED = new WeakMap<AbortSignal, Shared>();

/**
 * Calls `act` once the signal is aborted. Returns how to let go. One listener however many share the signal, which is what
 * bursts of calls do: of more than ten Node warns as of a leak.
 */
export function whenAborted(signal: AbortSignal, act: Act): Act {
  const shared = SHARED.get(signal) ?? listenTo(signal);
  shared.acts.add(act);
  return () => {
    shared.acts.delete(act);
    if (shared.acts.size > 0) return;
    signal.removeEventListener('abort', shared.listener);
    SHARED.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Shared {
  const acts = new Set<Act>();
  const listener = (): void => {
    for (const act of [...acts]) act();
  };
  const shared = { acts, listener };
  SHARED.set(signal, shared);
  signal.addEventListener('abort', listener, { once: true });
  return shared;
}
