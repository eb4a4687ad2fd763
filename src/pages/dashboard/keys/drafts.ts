import type { Format } from './draft.js';
import type { KeyEntry } from './kv-client.js';

/** A value that somebody has begun to write and not sent. */
export interface Draft {
  /** The entry of the key when the edit began: the edit is sent only if nobody wrote since. Null for a new key. */
  readonly entry: KeyEntry | null;
  readonly name: string;
  readonly format: Format;
  readonly text: string;
}

/** Unsent edits, kept while other keys and pages are looked at, until they are sent or cancelled. One for each key, and one new key. */
export class Drafts {
  readonly #ofKeys = new Map<string, Draft>();
  #new: Draft | null = null;

  get isEmpty(): boolean {
    return this.#new === null && this.#ofKeys.size === 0;
  }

  /** `key` is null for the new key. */
  of(key: string | null): Draft | null {
    return key === null ? this.#new : (this.#ofKeys.get(key) ?? null);
  }

  keep(key: string | null, draft: Draft | null): void {
    if (key === null) this.#new = draft;
    else if (draft === null) this.#ofKeys.delete(key);
    else this.#ofKeys.set(key, draft);
  }
}
