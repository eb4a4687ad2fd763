/** A moment on a chart's time axis. */
export interface TimeTick {
  readonly agoMs: number;
  /** Null where there is room for a small line only. */
  readonly label: string | null;
}

const MINUTE_MS = 60_000;
/** px that a label takes, with the space to the next one. */
const LABEL_PX = 58;

/** Each full minute of the time that is shown, and now; as many of them have words as there is room for, counted from now. */
export function timeTicks(shownMs: number, width: number): readonly TimeTick[] {
  const minutes = Math.floor(shownMs / MINUTE_MS);
  const apart = [1, 2, 5, 10, 30].find((step) => (step * MINUTE_MS * width) / shownMs >= LABEL_PX) ?? minutes;
  return Array.from({ length: minutes + 1 }, (_, ago) => ({
    agoMs: ago * MINUTE_MS,
    label: ago === 0 ? 'now' : ago % apart === 0 ? `−${ago} min` : null,
  }));
}
