export interface KeyValueEntry {
  readonly value: Uint8Array;
  /** Revision of the entry's last change. */
  readonly revision: number;
}

export interface KeyValueItem extends KeyValueEntry {
  readonly key: string;
}

export interface ListQuery {
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string;
  /** Default 1,000. */
  readonly limit?: number;
}

export interface ListPage {
  /** The store's. */
  readonly revision: number;
  readonly items: readonly KeyValueItem[];
  /** Where the next page begins: its `after`; null when this page is the last. */
  readonly next: string | null;
}

/** The store, as queries and routes read it. */
export interface KeyValueReader {
  get(key: string): KeyValueEntry | undefined;
  list(query: ListQuery): ListPage;
}
