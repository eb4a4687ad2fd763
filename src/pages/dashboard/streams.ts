import { eventFault } from '../../report/event-shape.js';
import type { EventStream, NodeReport, StreamHello } from '../../report/node-report.js';
import { EVENTS_VERSION } from '../../report/node-report.js';
import type { ClusterModel } from './model/cluster-model.js';

/** The parts of the browser's EventSource that are used here. */
export interface Source {
  addEventListener(name: string, listener: (event: { readonly data?: string }) => void): void;
  close(): void;
  readonly readyState: number;
  /** Why it failed, where it says so itself. */
  readonly reason?: string | null;
}

export interface StreamOptions {
  readonly model: ClusterModel;
  /** The event stream of the node that served this page. */
  readonly ownUrl: string;
  /** The event stream of another member, from its address. */
  readonly urlOf: (address: string) => string;
  readonly open: (url: string) => Source;
  /** Another member's event stream through the node that served this page. */
  readonly openThroughOwn: (id: string) => Source;
  /** Why a node refuses the stream, where it answers at all; null where it does not. */
  readonly askReason: (url: string) => Promise<string | null>;
  readonly now: () => number;
  readonly later: (ms: number, run: () => void) => unknown;
  /** Whether another node, which does answer, is connected to this one; null where no other node answers. */
  readonly isHeardByOthers: (id: string) => boolean | null;
  /** Something has arrived, or a connection was lost. */
  readonly changed: () => void;
}

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 2_000;
/** A node that no other node reaches either is tried so seldom: each attempt leaves an error in the browser's console. */
const UNHEARD_RETRY_MS = 15_000;
/** A stream that has not begun by then is given up: a browser itself waits for minutes. */
const GREETING_MS = 2_500;
/** A node tells its metrics once a second. */
const SILENT_MS = 5_000;
/** More than this between two looks is time in which the page itself stood still, and nobody's silence. */
const MOST_BETWEEN_LOOKS_MS = 500;
const CLOSED = 2;
const OWN = ' own';

/** Keeps a stream open to every member, its own origin first; members and their addresses come from the reports. */
export class Streams {
  readonly #options: StreamOptions;
  /** By member's id; the one to the own origin, before it has said who it is, under a name that no node has. */
  readonly #sources = new Map<string, Source>();
  readonly #attempts = new Map<string, number>();
  readonly #waiting = new Set<string>();
  /** Members that this browser has reached at their own addresses. */
  readonly #reached = new Set<string>();
  /** Since when nothing has come of a stream that has begun, ms of this page's own time. */
  readonly #silences = new Map<Source, number>();
  #lookedMs = 0;
  #isPaused = false;
  /** Why the own origin gives nothing, before anything was heard; null otherwise. */
  refusal: string | null = null;
  #ownRetryMs: number | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start(): void {
    this.#dial(OWN);
  }

  /** When the own origin is tried again, while nobody has been heard at all; null otherwise. */
  get ownRetryMs(): number | null {
    return this.#ownRetryMs;
  }

  /** Tries all that wait again now. */
  retryNow(): void {
    for (const who of [...this.#waiting]) this.#dial(who);
  }

  /**
   * To be called several times a second. A machine that lost its power, or a network that was changed, ends no connection, and a
   * browser that only receives never learns of it: a stream that has fallen silent is dialed anew.
   */
  look(): void {
    const nowMs = this.#options.now();
    const passedMs = Math.min(MOST_BETWEEN_LOOKS_MS, nowMs - this.#lookedMs);
    this.#lookedMs = nowMs;
    for (const [who, source] of [...this.#sources]) {
      const silentMs = this.#silences.get(source);
      if (silentMs === undefined) continue;
      this.#silences.set(source, silentMs + passedMs);
      if (silentMs + passedMs > SILENT_MS) this.#lose(who, source, 'it says nothing');
    }
  }

  /** Nobody looks at this page: a browser opens few connections to one node, and those of hidden pages are missed by others. */
  pause(): void {
    this.#isPaused = true;
    for (const source of this.#sources.values()) this.#close(source);
    this.#sources.clear();
    this.#waiting.clear();
  }

  /** Goes on after `pause`, and tries all that wait again now. */
  resume(): void {
    if (!this.#isPaused) return this.retryNow();
    this.#isPaused = false;
    this.#dial(OWN);
    for (const { id } of this.#options.model.addresses) if (id !== this.#options.model.ownId) this.#dial(id);
  }

  #close(source: Source): void {
    this.#silences.delete(source);
    source.close();
  }

  #dial(who: string): void {
    if (this.#isPaused) return;
    this.#waiting.delete(who);
    const { open, openThroughOwn } = this.#options;
    const isThroughOwn = this.#goesThroughOwn(who);
    const url = this.#urlOf(who);
    if (url === undefined || this.#sources.has(who)) return;
    const source = isThroughOwn ? openThroughOwn(who) : open(url);
    this.#sources.set(who, source);
    let id: string | null = null;
    const listen = <One extends keyof EventStream>(name: One, take: (message: EventStream[One]) => void): void =>
      source.addEventListener(name, ({ data }) => {
        if (this.#sources.get(who) !== source) return;
        this.#silences.set(source, 0);
        const message = parsed(data);
        const fault = faultOf(name, message);
        if (fault === null) take(message as EventStream[One]);
        else this.#lose(who, source, fault);
        this.#options.changed();
      });
    listen('hello', (hello) => {
      id = this.#greeted(who, hello, source, isThroughOwn);
    });
    listen('report', (report) => id !== null && this.#report(id, report));
    const { model, now } = this.#options;
    listen('metrics', (metrics) => id !== null && model.metrics(id, metrics, now()));
    listen('history', ({ metrics }) => id !== null && model.pastMetrics(id, metrics));
    listen('news', (news) => id !== null && model.news(id, news, now()));
    source.addEventListener('error', () => this.#failed(who, url, source));
    this.#options.later(GREETING_MS, () => id === null && this.#failed(who, url, source));
  }

  /** The id under which what follows is counted; null where the node is not the one that was meant. */
  #greeted(who: string, hello: StreamHello, source: Source, isThroughOwn: boolean): string | null {
    const { model, now } = this.#options;
    const stranger = strangeness(who, hello, model.clusterId);
    if (stranger !== null) {
      this.#lose(who, source, stranger);
      return null;
    }
    this.#attempts.delete(who);
    if (!isThroughOwn) this.#reached.add(who);
    this.refusal = null;
    this.#ownRetryMs = null;
    model.hello(hello, now(), who === OWN, isThroughOwn);
    // The own node's address may have been dialed from a report of another one.
    if (who === OWN && this.#sources.has(hello.id)) {
      this.#close(this.#sources.get(hello.id) as Source);
      this.#sources.delete(hello.id);
    }
    return hello.id;
  }

  #report(id: string, report: NodeReport): void {
    const { model, now } = this.#options;
    model.report(id, report, now());
    for (const { id: member } of model.addresses) {
      if (member !== model.ownId && !this.#sources.has(member) && !this.#waiting.has(member)) this.#dial(member);
    }
  }

  #failed(who: string, url: string, source: Source): void {
    if (this.#sources.get(who) !== source) return;
    // A refused stream is closed by the browser, and a plain request tells why; otherwise nobody answers.
    const isRefused = source.readyState === CLOSED;
    this.#lose(who, source, source.reason ?? null);
    if (!isRefused) return;
    void this.#options.askReason(url).then((reason) => {
      if (reason === null) return;
      if (who === OWN) this.refusal = reason;
      this.#options.model.lost(this.#idOf(who), reason, this.#options.now());
      this.#options.changed();
    });
  }

  #lose(who: string, source: Source, reason: string | null): void {
    const { model, now, later, changed } = this.#options;
    this.#close(source);
    if (this.#sources.get(who) === source) this.#sources.delete(who);
    const attempt = this.#attempts.get(who) ?? 0;
    this.#attempts.set(who, attempt + 1);
    const waitMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
    const nextTryMs = now() + waitMs;
    if (who === OWN) this.#ownRetryMs = nextTryMs;
    if (who === OWN && reason !== null) this.refusal = reason;
    model.lost(this.#idOf(who), reason, nextTryMs);
    model.tick(now());
    this.#waiting.add(who);
    later(waitMs, () => this.#retry(who, now() + UNHEARD_RETRY_MS));
    changed();
  }

  #retry(who: string, atLatestMs: number): void {
    if (!this.#waiting.has(who)) return;
    const { isHeardByOthers, now, later } = this.#options;
    if (isHeardByOthers(this.#idOf(who)) !== false || now() >= atLatestMs) return this.#dial(who);
    later(FIRST_RETRY_MS, () => this.#retry(who, atLatestMs));
  }

  #idOf(who: string): string {
    return who === OWN ? (this.#options.model.ownId ?? OWN) : who;
  }

  /** Only nodes may reach a member's address: where this browser never did, the node that serves this page is asked every other time. */
  #goesThroughOwn(who: string): boolean {
    if (who === OWN || this.#reached.has(who) || !this.#sources.has(OWN)) return false;
    return (this.#attempts.get(who) ?? 0) % 2 === 1;
  }

  #urlOf(who: string): string | undefined {
    if (who === OWN) return this.#options.ownUrl;
    const address = this.#options.model.addresses.find(({ id }) => id === who)?.address;
    return address === undefined || address === '' ? undefined : this.#options.urlOf(address);
  }
}

function parsed(json: string | undefined): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch {
    return undefined;
  }
}

/** Why this page cannot read a message; null where it can. */
function faultOf(name: keyof EventStream, message: unknown): string | null {
  const { version } = Object(message) as Partial<StreamHello>;
  if (name === 'hello' && version !== EVENTS_VERSION)
    return `it speaks version ${version ?? 'unknown'} of these events, this page version ${EVENTS_VERSION}`;
  const fault = eventFault(name, message);
  return fault === null ? null : `it sends what is no ${name} of version ${EVENTS_VERSION} (${fault})`;
}

/** Why the node that answers is not the one to listen to; null where it is. */
function strangeness(who: string, hello: StreamHello, clusterId: string | null): string | null {
  if (who !== OWN && hello.id !== who) return `${hello.id} answers at its address`;
  if (clusterId !== null && hello.clusterId !== clusterId) return 'a node of another cluster answers at its address';
  return null;
}
