/** `turn`: enough was taken in this turn of the event loop. `unread`: answers wait to be read. */
export type RestReason = 'turn' | 'unread';

/** Why nothing is read from a socket at the moment: it is read again when no reason is left. */
export class ReadPauses {
  readonly #socket: { pause(): void; resume(): void };
  readonly #reasons = new Set<RestReason>();

  constructor(socket: { pause(): void; resume(): void }) {
    this.#socket = socket;
  }

  has(reason: RestReason): boolean {
    return this.#reasons.has(reason);
  }

  begin(reason: RestReason): void {
    if (this.#reasons.size === 0) this.#socket.pause();
    this.#reasons.add(reason);
  }

  end(reason: RestReason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#socket.resume();
  }
}
