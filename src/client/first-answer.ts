import { QuorateError } from '../errors/quorate-error.js';
import type { Platform } from './platform.js';

export interface ReadyOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether to give up once every node was dialed in vain. By default all are dialed again until the time is over. */
  readonly dialsOnce?: boolean;
}

export interface FirstAnswerOptions {
  readonly platform: Pick<Platform, 'setTimeout' | 'clearTimeout'>;
  /** Whether a node has answered. */
  readonly hasAnswer: () => boolean;
  /** Whether every node was dialed in vain. */
  readonly isInVain: () => boolean;
  /** Why no node has answered yet, as a sentence. */
  readonly why: () => string;
}

/** Where callers wait until a first node has answered. */
export class FirstAnswer {
  readonly #options: FirstAnswerOptions;
  readonly #looks = new Set<() => void>();

  constructor(options: FirstAnswerOptions) {
    this.#options = options;
  }

  /** Something has happened that callers may wait for. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** Rejects with NO_LEADER, and why, where no node answers in time, and with ABORTED. */
  wait({ timeoutMs, signal, dialsOnce = false }: ReadyOptions): Promise<void> {
    const { platform, hasAnswer, isInVain, why } = this.#options;
    return new Promise((resolve, reject) => {
      const endWaiting = (end: () => void): void => {
        this.#looks.delete(look);
        platform.clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        end();
      };
      const fail = (): void => endWaiting(() => reject(new QuorateError('QUORATE_NO_LEADER', why())));
      const abort = (): void =>
        endWaiting(() =>
          reject(new QuorateError('QUORATE_ABORTED', 'connecting was aborted', { cause: signal?.reason })),
        );
      const look = (): void => {
        if (hasAnswer()) endWaiting(resolve);
        else if (dialsOnce && isInVain()) fail();
      };
      const timer = platform.setTimeout(fail, timeoutMs);
      this.#looks.add(look);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted === true) abort();
      else look();
    });
  }
}
