import type { Clock } from '../seams/clock.js';
import type { KnownAddresses } from '../seams/known-addresses.js';

/** One of the addresses that a name stands for. */
export interface Address {
  readonly address: string;
  /** 4 or 6. */
  readonly family: number;
}

export type LookupError = Error & { readonly code?: string | undefined };

/** Asks the operating system for all addresses of a name. It cannot be cancelled, and may take many seconds. */
export type SystemLookup = (
  name: string,
  done: (error: LookupError | null, addresses: readonly Address[]) => void,
) => void;

export interface HostNamesOptions {
  readonly lookup: SystemLookup;
  readonly clock: Pick<Clock, 'now' | 'setTimeout' | 'clearTimeout'>;
  /** Addresses that names led to in earlier runs. Default: none, and those of this run are forgotten with this object. */
  readonly known?: KnownAddresses | undefined;
}

/** The events of one question. `found` or `failed` comes once, and may come before `resolve` returns. */
export interface ResolveEvents {
  /** `isOld`: the newest lookup is slow or failed, and these are the addresses of the last one that succeeded. */
  found(addresses: readonly Address[], isOld: boolean): void;
  /** `reason` is a sentence for the log. */
  failed(reason: string, error: LookupError): void;
  /** The lookup is slow, and no older address is known. `reason` is a sentence for the log; it comes seldom. */
  delayed?(reason: string): void;
}

interface Question {
  readonly events: ResolveEvents;
  timer: unknown;
}

interface Name {
  isLookedUp: boolean;
  startedMs: number;
  /** When the last lookup ended, and how. */
  endedMs: number;
  error: LookupError | null;
  /** Addresses of the last lookup that succeeded; before the first one, what an earlier run has left, or none. */
  addresses: readonly Address[];
  readonly questions: Set<Question>;
}

/** The outcome of a lookup is used this long, whatever it was, before the name is looked up again. */
const FRESH_MS = 1_000;
/** A question waits this long for a lookup before it is answered with the last addresses known. */
const GRACE_MS = 30;
const FIRST_DELAY_NOTE_MS = 1_000;
const NOTE_FACTOR = 4;

/**
 * The addresses of names, for everybody in a process who dials. A lookup cannot be cancelled and occupies one of few
 * threads, so at most one is under way for each name, and everybody who asks meanwhile shares it (P46). While a lookup is
 * slow, or fails, the last addresses known are the answer. IP addresses are never looked up.
 */
export class HostNames {
  readonly #options: HostNamesOptions;
  readonly #names = new Map<string, Name>();

  constructor(options: HostNamesOptions) {
    this.#options = options;
  }

  /** Finds the addresses of `name`. The function that is returned forgets the question; a lookup under way goes on for others. */
  resolve(name: string, events: ResolveEvents): () => void {
    const family = familyOf(name);
    if (family !== 0) {
      events.found([{ address: name, family }], false);
      return () => undefined;
    }
    const known = this.#nameOf(name);
    const { clock } = this.#options;
    if (!known.isLookedUp && clock.now() - known.endedMs < FRESH_MS) {
      answer(name, known, events);
      return () => undefined;
    }
    const question: Question = { events, timer: undefined };
    known.questions.add(question);
    // The timer is set first: a lookup may be done before the call returns.
    if (known.addresses.length > 0) question.timer = clock.setTimeout(() => this.#fallBack(known, question), GRACE_MS);
    else this.#noteDelays(name, known, question, FIRST_DELAY_NOTE_MS);
    if (!known.isLookedUp) this.#lookUp(name, known);
    return () => this.#forget(known, question);
  }

  /** A peer of this name was reached at `address`: should no lookup succeed at the next start, it is dialed there. */
  reached(name: string, address: string): void {
    if (familyOf(name) === 0) this.#options.known?.remember(name, address);
  }

  /** A function for the option `lookup` of `net.connect`, `http.request` and `ws`. */
  readonly lookup = (
    name: string,
    options: { readonly all?: boolean | undefined; readonly family?: number | string | undefined },
    callback: (error: LookupError | null, address: string | Address[], family?: number) => void,
  ): void => {
    const wanted = Number(String(options.family ?? 0).replace('IPv', ''));
    this.resolve(name, {
      found: (addresses) => {
        const fitting = addresses.filter(({ family }) => wanted === 0 || family === wanted);
        const [first] = fitting;
        if (first === undefined) callback(noSuchFamily(name, wanted), '');
        else if (options.all === true) callback(null, fitting);
        else callback(null, first.address, first.family);
      },
      failed: (_reason, error) => callback(error, ''),
    });
  };

  #nameOf(name: string): Name {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const fresh: Name = {
      isLookedUp: false,
      startedMs: 0,
      endedMs: Number.NEGATIVE_INFINITY,
      error: null,
      addresses: this.#keptAddresses(name),
      questions: new Set(),
    };
    this.#names.set(name, fresh);
    return fresh;
  }

  #keptAddresses(name: string): readonly Address[] {
    const address = this.#options.known?.addressOf(name);
    return address === undefined ? [] : [{ address, family: familyOf(address) }];
  }

  #lookUp(name: string, known: Name): void {
    const { clock, lookup } = this.#options;
    known.isLookedUp = true;
    known.startedMs = clock.now();
    lookup(name, (error, addresses) => {
      known.isLookedUp = false;
      known.endedMs = clock.now();
      known.error = error;
      if (error === null && addresses.length > 0) known.addresses = addresses;
      for (const question of [...known.questions]) {
        this.#forget(known, question);
        answer(name, known, question.events);
      }
    });
  }

  #fallBack(known: Name, question: Question): void {
    this.#forget(known, question);
    question.events.found(known.addresses, true);
  }

  #noteDelays(name: string, known: Name, question: Question, afterMs: number): void {
    const { clock } = this.#options;
    question.timer = clock.setTimeout(() => {
      const tookMs = clock.now() - known.startedMs;
      const seconds = Math.round(tookMs / 1_000);
      // The next timer is set first: whoever is told may forget the question.
      this.#noteDelays(name, known, question, tookMs * (NOTE_FACTOR - 1));
      question.events.delayed?.(`looking up ${name} has taken ${seconds} s so far: check the name server and the name`);
    }, afterMs);
  }

  #forget(known: Name, question: Question): void {
    known.questions.delete(question);
    this.#options.clock.clearTimeout(question.timer);
  }
}

/** 4 or 6 where `name` is an IP address already, else 0. */
function familyOf(name: string): 0 | 4 | 6 {
  if (name.includes(':')) return 6;
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(name) ? 4 : 0;
}

function answer(name: string, known: Name, events: ResolveEvents): void {
  const { addresses, error } = known;
  if (addresses.length > 0) return events.found(addresses, error !== null);
  const cause = error ?? noSuchFamily(name, 0);
  events.failed(`looking up ${name} failed: ${wordsFor(cause)}`, cause);
}

function wordsFor({ code, message }: LookupError): string {
  if (code === 'ENOTFOUND') return 'no such host (ENOTFOUND): check the name';
  if (code === 'EAI_AGAIN') return 'the name server did not answer (EAI_AGAIN): check the network';
  return message;
}

function noSuchFamily(name: string, family: number): LookupError {
  const kind = family === 0 ? 'address' : `IPv${family} address`;
  return Object.assign(new Error(`${name} has no ${kind}`), { code: 'ENOTFOUND' });
}
