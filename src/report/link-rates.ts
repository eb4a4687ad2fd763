interface Sample {
  readonly atMs: number;
  readonly sent: number;
  readonly received: number;
}

/** Rates are of the last second. */
const WINDOW_MS = 1_000;

/** Messages a second of each link, from its counters as they are looked at again and again. */
export class LinkRates {
  readonly #samples = new Map<string, Sample[]>();

  at(
    nowMs: number,
    peer: string,
    { sent, received }: Omit<Sample, 'atMs'>,
  ): { readonly sentPerSecond: number; readonly receivedPerSecond: number } {
    const kept = (this.#samples.get(peer) ?? []).filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    const [first] = kept;
    this.#samples.set(peer, [...kept, { atMs: nowMs, sent, received }]);
    if (first === undefined || first.atMs === nowMs) return { sentPerSecond: 0, receivedPerSecond: 0 };
    const perSecond = (count: number): number => Math.round((count * 1_000) / (nowMs - first.atMs));
    return { sentPerSecond: perSecond(sent - first.sent), receivedPerSecond: perSecond(received - first.received) };
  }
}
