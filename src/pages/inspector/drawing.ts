/** A timer or a frame of the browser's, by its number. */
export interface DrawingTimers {
  setTimeout(callback: () => void, delayMs: number): number;
  clearTimeout(timer: number): void;
  requestAnimationFrame(callback: () => void): number;
  cancelAnimationFrame(frame: number): void;
}

/** Messages that change no state share a drawing: there is at most one in this time. */
const DRAWN_EVERY_MS = 40;

/** When the page is drawn: a changed state with the browser's next frame, what else there is a little later. */
export class Drawing {
  readonly #draw: () => void;
  readonly #timers: DrawingTimers;
  #timer: number | undefined;
  #frame: number | undefined;

  constructor(draw: () => void, timers: DrawingTimers) {
    this.#draw = draw;
    this.#timers = timers;
  }

  /** There is something new to draw. A hidden page has no frames, so the timer stays beside the frame. */
  ask(isStateChanged: boolean): void {
    if (isStateChanged) this.#frame ??= this.#timers.requestAnimationFrame(() => this.#now());
    this.#timer ??= this.#timers.setTimeout(() => this.#now(), DRAWN_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#timers.clearTimeout(this.#timer);
    if (this.#frame !== undefined) this.#timers.cancelAnimationFrame(this.#frame);
    this.#timer = undefined;
    this.#frame = undefined;
  }

  #now(): void {
    this.stop();
    this.#draw();
  }
}
