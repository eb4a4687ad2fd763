import type { Entry, LogRecord } from '../../raft/messages.js';
import { asIndex } from '../../raft/numbers-and-ids.js';
import type { LogStore, Recovered } from '../../seams/log-store.js';

/** A log store's callbacks as promises, for tests that have nothing to say between a question and its answer. */
export function opened(store: LogStore): Promise<Recovered> {
  return new Promise((resolve, reject) => {
    store.open((error, recovered) => (recovered === undefined ? reject(error) : resolve(recovered)));
  });
}

export function synced(store: LogStore): Promise<void> {
  return new Promise((resolve, reject) => store.sync((error) => (error === undefined ? resolve() : reject(error))));
}

export function closed(store: LogStore): Promise<void> {
  return new Promise((resolve, reject) => store.close((error) => (error === undefined ? resolve() : reject(error))));
}

export function read(store: LogStore, from: number, maxEntries = 1_000, maxBytes = 2 ** 20): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    store.read(asIndex(from), { maxEntries, maxBytes }, (error, entries) =>
      entries === undefined ? reject(error) : resolve(entries),
    );
  });
}

/** The whole log, read in many small pieces. */
export async function readAll(store: LogStore, from = 1): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const piece = await read(store, from + all.length, 5, 400);
    if (piece.length === 0) return all;
    all.push(...piece);
  }
}

export async function write(store: LogStore, ...records: readonly LogRecord[]): Promise<void> {
  store.append(records);
  await synced(store);
}

export const textOf = ({ payload }: Entry): string => new TextDecoder().decode(payload);
