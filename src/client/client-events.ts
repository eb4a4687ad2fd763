/** The events that a client emits about its connections, by their names. */
export interface ClientEvents {
  /** A node answered: calls can be sent to it. */
  readonly connected: { readonly address: string };
  /** The connection to a node was lost. It is dialed again for as long as the client is open. */
  readonly disconnected: { readonly address: string; readonly reason: string };
  /** Another node leads, or none is known to (`leaderId` is null). */
  readonly leaderChanged: { readonly leaderId: string | null; readonly term: number };
}

type Listener = (event: never) => void;

/** Calls the listeners of a client. */
export class ClientEmitter {
  readonly #listeners = new Map<keyof ClientEvents, Set<Listener>>();
  readonly #defer: (callback: () => void) => void;

  /** `defer` runs a function outside of whatever is going on now. */
  constructor(defer: (callback: () => void) => void) {
    this.#defer = defer;
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    // A function of its own for each call: the same listener may be added twice, and each is removed by itself.
    const added: Listener = (event) => listener(event);
    listeners.add(added);
    return () => void listeners.delete(added);
  }

  /** A listener that throws does not keep the client from its work: its error is thrown where nothing else is under way. */
  emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(event as never);
      } catch (error) {
        this.#defer(() => {
          throw error;
        });
      }
    }
  }

  /** Nothing happens to a client that is closed. */
  clear(): void {
    this.#listeners.clear();
  }
}
