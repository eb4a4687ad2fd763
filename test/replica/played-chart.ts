import type { ClientEvent } from '../../machines/index.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import type { Notice } from '../../src/raft/effects.js';
import type { Entry } from '../../src/raft/messages.js';
import { PendingRequests } from '../../src/replica/pending-requests.js';
import { VirtualClock } from '../../src/testing/index.js';

export const text = {
  encode: (value: string) => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
export const NO_LEADER = new QuorateError('QUORATE_NO_LEADER', 'nobody leads');

export interface Outcome {
  code?: string;
  retryAfterMs?: number | undefined;
  result?: string | undefined;
  times: number;
}

/** The pendingRequests with a chart that is played by the test: what it is sent is kept, what it says is told. */
export class PlayedChart {
  readonly clock = new VirtualClock();
  readonly sent: ClientEvent[] = [];
  /** Each call of the meter, in words, as in `2 commands`. */
  readonly metered: string[] = [];
  /** Why the leader takes no more. */
  whyBehind: string | undefined;
  readonly pendingRequests = new PendingRequests<string>({
    send: (event) => void this.sent.push(event),
    clock: this.clock,
    resultCodec: text,
    noLeader: () => NO_LEADER,
    whyBehind: () => this.whyBehind,
    chance: 0,
    meter: {
      commandsDone: (count) => void this.metered.push(`${count} commands`),
      readsDone: (count) => void this.metered.push(`${count} reads`),
      failed: (kind, { code }) => void this.metered.push(`${kind} ${code}`),
    },
  });

  propose(
    command: Uint8Array | string,
    {
      timeoutMs = 1_000,
      signal,
      isGone = () => false,
    }: { timeoutMs?: number; signal?: AbortSignal; isGone?: () => boolean } = {},
  ) {
    const payload = typeof command === 'string' ? text.encode(command) : command;
    return this.#waiting<string>((done) => this.pendingRequests.propose(payload, { timeoutMs, signal, isGone, done }));
  }

  read({ timeoutMs = 1_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {}): Outcome {
    return this.#waiting<undefined>((done) => this.pendingRequests.read({ timeoutMs, signal, done }));
  }

  tell(...notices: Notice[]): void {
    for (const notice of notices) this.pendingRequests.notice(notice);
  }

  /** The turn of the event loop ends: what arrived in it becomes events. */
  turn(): readonly ClientEvent[] {
    this.sent.length = 0;
    this.clock.runFor(0);
    return this.sent;
  }

  lastRequestId(): number {
    const last = this.sent.at(-1);
    return last !== undefined && 'requestId' in last ? last.requestId : Number.NaN;
  }

  #waiting<Value extends string | undefined>(
    start: (done: (error: QuorateError | undefined, value?: Value) => void) => void,
  ): Outcome {
    const outcome: Outcome = { times: 0 };
    start((error, value) => {
      outcome.times += 1;
      if (error === undefined) outcome.result = value;
      else {
        outcome.code = error.code;
        if (error.retryAfterMs !== undefined) outcome.retryAfterMs = error.retryAfterMs;
      }
    });
    return outcome;
  }
}

export const appended = (
  requestId: number,
  firstIndex: number,
  count: number,
  term = 1,
  from: string | null = null,
): Notice => {
  return { type: 'proposals.appended', from, requestId, firstIndex, count, term } as Notice;
};
export const applied = (firstIndex: number, results: readonly string[], term = 1): Notice => {
  const entries = results.map((_, at) => ({ index: firstIndex + at, term }) as Entry);
  return { type: 'entries.applied', entries, results };
};
