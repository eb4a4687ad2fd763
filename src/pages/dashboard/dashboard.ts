import { Drafts } from './keys/drafts.js';
import { ClusterModel } from './model/cluster-model.js';
import { RelayedSource } from './relayed-source.js';
import { Streams } from './streams.js';

/** The page is drawn anew at most so often: timers drain visibly, and nothing flickers. */
const LEAST_BETWEEN_DRAWINGS_MS = 100;
/** A page that nobody has seen for so long listens no more; what it missed comes when it is seen again. */
const HIDDEN_MS = 30_000;

/** The model of the cluster, the streams that feed it, what was edited and not sent, and when the page has to be drawn anew. */
export class Dashboard {
  readonly model = new ClusterModel(Date.now());
  readonly streams: Streams;
  readonly drafts = new Drafts();
  readonly #listeners = new Set<() => void>();
  #drawnMs = 0;
  #isPlanned = false;
  #isPaused = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.streams = new Streams({
      model: this.model,
      ownUrl: new URL('v1/events', location.href).href,
      urlOf: (address) => `${baseOf(address)}v1/events`,
      open: (url) => new EventSource(url),
      openThroughOwn: (id) => {
        const url = new URL(`v1/events?node=${encodeURIComponent(id)}`, location.href).href;
        return new RelayedSource(url.replace(/^http/, 'ws'));
      },
      askReason,
      now: Date.now,
      later: (ms, run) => setTimeout(run, ms),
      isHeardByOthers: (id) => this.model.isHeardByOthers(id, Date.now()),
      changed: () => this.#draw(),
    });
  }

  start(): void {
    this.streams.start();
    setInterval(() => {
      if (this.#isPaused) return;
      this.model.tick(Date.now());
      this.streams.look();
      this.#draw();
    }, LEAST_BETWEEN_DRAWINGS_MS);
    // The browser asks whether the page shall be left.
    addEventListener('beforeunload', (event) => {
      if (!this.drafts.isEmpty) event.preventDefault();
    });
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.#pause);
      if (document.hidden) {
        this.#pause = setTimeout(() => {
          this.#isPaused = true;
          this.streams.pause();
        }, HIDDEN_MS);
      } else {
        this.#isPaused = false;
        this.streams.resume();
      }
    });
  }

  /** Where requests go: to the node that served this page while it answers, else to another one that does. */
  basesOfAnswering(): readonly string[] {
    const { nodes } = this.model.view(Date.now());
    const answering = nodes.filter(({ isAnswering, isThroughOwn }) => isAnswering && !isThroughOwn);
    const own = new URL('.', location.href).href;
    if (answering.length === 0) return [own];
    answering.sort((one, other) => Number(other.isOwn) - Number(one.isOwn));
    return answering.map(({ isOwn, address }) => (isOwn ? own : baseOf(address)));
  }

  /** Calls `listener` whenever the page has to be drawn anew, until what is returned is called. */
  onDraw(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #draw(): void {
    if (document.hidden || this.#isPlanned) return;
    const waitMs = this.#drawnMs + LEAST_BETWEEN_DRAWINGS_MS - Date.now();
    if (waitMs <= 0) return this.#tell();
    this.#isPlanned = true;
    setTimeout(() => this.#tell(), waitMs);
  }

  #tell(): void {
    this.#isPlanned = false;
    this.#drawnMs = Date.now();
    for (const listener of this.#listeners) listener();
  }
}

/** A browser does not tell why an event stream was refused; the body of a plain answer does. */
async function askReason(url: string): Promise<string | null> {
  const abort = new AbortController();
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (response.ok) return null;
    const answer = (await response.json()) as { readonly error?: { readonly message?: string } };
    return `${response.status}: ${answer.error?.message ?? response.statusText}`;
  } catch {
    return null;
  } finally {
    abort.abort();
  }
}

/** Where a member's routes are: under the same prefix as this node's. */
const baseOf = (address: string): string => `${location.protocol}//${address}${new URL('.', location.href).pathname}`;
