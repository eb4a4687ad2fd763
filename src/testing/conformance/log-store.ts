import { termAt } from '../../raft/log-shape.js';
import { asIndex } from '../../raft/numbers-and-ids.js';
import type { LogStore, Recovered } from '../../seams/log-store.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import { mustBe, mustHave, mustHold, mustThrow } from './expectations.js';
import { closed, opened, read, readAll, synced, textOf, write } from './log-store-calls.js';
import { commit, entries, entry, truncation, vote } from './records-to-write.js';

/** Where a log store keeps its log. */
export interface LogStorePlace {
  /** A store on this place, not opened yet. The one before it, if any, was closed. */
  store(): LogStore;
  /** Removes what the case has left. */
  clear(): void | Promise<void>;
}

/** What every `LogStore` must do. `prepare` makes an empty place for each case. */
export function logStoreConformance(prepare: () => LogStorePlace | Promise<LogStorePlace>): readonly ConformanceCase[] {
  return casesOf({ ...writing, ...truncating, ...stopping }, async (check) => {
    const place = await prepare();
    try {
      await check(new OpenStore(place));
    } finally {
      await place.clear();
    }
  });
}

/** The store of one case. */
class OpenStore {
  readonly #place: LogStorePlace;
  store: LogStore;

  constructor(place: LogStorePlace) {
    this.#place = place;
    this.store = place.store();
  }

  /** Opens the place's next store, as the process does that is started next. */
  openNext(): Promise<Recovered> {
    this.store = this.#place.store();
    return opened(this.store);
  }

  async reopen(): Promise<Recovered> {
    await closed(this.store);
    return this.openNext();
  }
}

const writing: Checks<OpenStore> = {
  'a new log is empty': async ({ store }) => {
    const recovered = await opened(store);
    const nothing = { term: 0, votedFor: null, commitIndex: 0, lastTimeMs: 0, tornBytes: 0 };
    mustHave('a new log', recovered, nothing);
    const shape = { previous: { index: 0, term: 0 }, lastIndex: 0, durableIndex: 0, runs: [] };
    mustBe('the shape of a new log', recovered.log, shape);
    mustBe('what is read of a new log', await read(store, 1), []);
  },

  'what is appended can be read at once, and after a restart, field by field': async (given) => {
    await opened(given.store);
    given.store.append([entries(1, 3, 1), entries(4, 2, 2)]);
    const cached = given.store.cached(asIndex(1), { maxEntries: 9, maxBytes: 999 });
    const texts = ['1 of term 1', '2 of term 1', '3 of term 1', '4 of term 2', '5 of term 2'];
    mustBe('what is in memory before the sync', cached?.map(textOf), texts);
    await synced(given.store);
    const recovered = await given.reopen();
    const runs = [
      [1, 1],
      [4, 2],
    ];
    mustHave('the recovered log', recovered.log, { lastIndex: 5, durableIndex: 5, runs });
    mustBe('lastTimeMs', recovered.lastTimeMs, entry(5, 2).timeMs);
    const all = [1, 2, 3, 4, 5].map((index) => entry(index, index < 4 ? 1 : 2));
    mustBe('what is read after a restart', await readAll(given.store), all);
  },

  'entries of every kind and size come back': async (given) => {
    await opened(given.store);
    const kinds = ['command', 'no-op', 'configuration', 'session'] as const;
    const all = kinds.map((kind, at) => ({ ...entry(at + 1, 1, new Uint8Array(at * 20_000).fill(at)), kind }));
    await write(given.store, { kind: 'entries', entries: all });
    await given.reopen();
    mustBe('what is read after a restart', await readAll(given.store), all);
  },

  'P1 term and vote come back together': async (given) => {
    await opened(given.store);
    await write(given.store, vote(3, 'n2'));
    mustHave('what is recovered', await given.reopen(), { term: 3, votedFor: 'n2' });
    await write(given.store, vote(4, null));
    mustHave('what is recovered', await given.reopen(), { term: 4, votedFor: null });
  },

  'a read keeps its limits, and always brings one entry': async ({ store }) => {
    await opened(store);
    await write(store, entries(1, 20, 1, new Uint8Array(100)));
    mustBe('how many of at most three are read', (await read(store, 5, 3, 10_000)).length, 3);
    mustBe('how many of 100 bytes are read within 250', (await read(store, 5, 100, 250)).length, 2);
    mustBe('what is read within one byte', (await read(store, 5, 100, 1)).map(indexOf), [5]);
    mustBe('what is read at the end', (await read(store, 20)).map(indexOf), [20]);
    mustBe('what is read beyond the end', await read(store, 21), []);
  },

  'P16 a commit hint beyond the end of the log counts up to its end': async (given) => {
    await opened(given.store);
    await write(given.store, entries(1, 3, 1), commit(9));
    mustBe('the commit index', (await given.reopen()).commitIndex, 3);
  },

  'P17 the commit index never goes back': async (given) => {
    await opened(given.store);
    await write(given.store, entries(1, 5, 1), commit(4));
    await write(given.store, commit(2));
    mustBe('the commit index', (await given.reopen()).commitIndex, 4);
  },

  'a sync of nothing is done': async ({ store }) => {
    await opened(store);
    await synced(store);
    await write(store, vote(1, null));
    await synced(store);
  },

  'P36 what waits for the disk is counted, until it is durable': async ({ store }) => {
    await opened(store);
    mustBe('unsyncedBytes of a new log', store.unsyncedBytes, 0);
    store.append([entries(1, 2, 1, new Uint8Array(5_000))]);
    mustHold('unsyncedBytes counts what was appended', store.unsyncedBytes >= 10_000);
    await synced(store);
    mustBe('unsyncedBytes after the sync', store.unsyncedBytes, 0);
    const whenSynced = synced(store);
    store.append([entries(3, 1, 1, new Uint8Array(7_000))]);
    mustHold('unsyncedBytes counts what is appended during a sync', store.unsyncedBytes >= 7_000);
    await whenSynced;
    mustHold('a sync covers only what was appended before it', store.unsyncedBytes >= 7_000);
    await closed(store);
  },
};

const truncating: Checks<OpenStore> = {
  '§5.3 what replaces a truncated end is read instead of it, before the sync, after it and after a restart': async (
    given,
  ) => {
    await opened(given.store);
    await write(given.store, entries(1, 6, 1));
    given.store.append([truncation(4), entries(4, 1, 2)]);
    const expected = ['1 of term 1', '2 of term 1', '3 of term 1', '4 of term 2'];
    mustBe('what is read before the sync', (await readAll(given.store)).map(textOf), expected);
    await synced(given.store);
    mustBe('what is read after the sync', (await readAll(given.store)).map(textOf), expected);
    const { log } = await given.reopen();
    mustBe('what is read after a restart', (await readAll(given.store)).map(textOf), expected);
    const terms = [3, 4, 5].map((index) => termAt(log, asIndex(index)));
    mustBe('the terms of entries 3 to 5', terms, [1, 2, undefined]);
  },

  'P13 a truncation lowers what is durable': async (given) => {
    await opened(given.store);
    await write(given.store, entries(1, 6, 1));
    await write(given.store, truncation(3));
    mustHave('the recovered log', (await given.reopen()).log, { lastIndex: 2, durableIndex: 2 });
    mustBe('what is read where it was cut', await read(given.store, 3), []);
  },

  'entries may be cut and written anew within one batch': async (given) => {
    await opened(given.store);
    const twice = [truncation(2), entries(2, 3, 2), truncation(4), entries(4, 2, 3)];
    await write(given.store, entries(1, 4, 1), ...twice);
    await given.reopen();
    const terms = (await readAll(given.store)).map(({ term }) => term);
    mustBe('the terms of all entries', terms, [1, 2, 2, 3, 3]);
    const last = (await read(given.store, 4)).map(textOf);
    mustBe('what is read from entry 4 on', last, ['4 of term 3', '5 of term 3']);
  },

  'a committed entry cannot be truncated, and the attempt leaves no trace': async (given) => {
    await opened(given.store);
    await write(given.store, entries(1, 5, 1), commit(4));
    mustThrow('a truncation of what is committed', () => given.store.append([truncation(4)]), /committed/);
    mustBe('the last index', (await given.reopen()).log.lastIndex, 5);
  },

  '§5.3 a long end that is cut is never read again, from wherever in the new one a read begins': async ({ store }) => {
    await opened(store);
    const payload = new Uint8Array(300);
    for (const term of [1, 2]) {
      if (term === 2) await write(store, truncation(5));
      for (let from = term === 1 ? 1 : 5; from <= 60; from += 4) await write(store, entries(from, 4, term, payload));
    }
    for (let from = 1; from <= 60; from += 1) {
      const [first] = await read(store, from);
      mustHave(`what is read from ${from} on`, first, { index: from, term: from < 5 ? 1 : 2 });
    }
  },

  'a long log with many restarts and truncations reads as what was last written': async (given) => {
    await opened(given.store);
    const expected: string[] = [];
    for (let round = 1; round <= 12; round += 1) {
      const from = Math.max(1, expected.length - 2);
      const records = round === 1 ? [] : [truncation(from)];
      expected.length = from - 1;
      await write(given.store, ...records, entries(from, 40, round));
      for (let index = from; index < from + 40; index += 1) expected.push(`${index} of term ${round}`);
      if (round % 4 === 0) await given.reopen();
    }
    mustBe('the whole log', (await readAll(given.store)).map(textOf), expected);
  },
};

const stopping: Checks<OpenStore> = {
  'a clean stop is known as one until the next write': async (given) => {
    mustBe('closedCleanly of a new log', (await opened(given.store)).closedCleanly, false);
    mustBe('closedCleanly after a close', (await given.reopen()).closedCleanly, true);
    await write(given.store, vote(1, 'n1'));
    given.store.append([entries(1, 1, 1)]);
    const recovered = await given.reopen();
    mustBe('closedCleanly after a close with records that waited', recovered.closedCleanly, true);
    mustBe('the last index', recovered.log.lastIndex, 1);
  },

  'closing waits for the sync under way, and what was appended meanwhile is kept': async (given) => {
    const { store } = given;
    await opened(store);
    const order: string[] = [];
    store.append([entries(1, 2, 1)]);
    const syncDone = synced(store).then(() => order.push('synced'));
    store.append([entries(3, 1, 1)]);
    const closeDone = closed(store).then(() => order.push('closed'));
    await Promise.all([syncDone, closeDone]);
    mustBe('the order of both', order, ['synced', 'closed']);
    const recovered = await given.openNext();
    mustBe('closedCleanly', recovered.closedCleanly, true);
    mustBe('the last index', recovered.log.lastIndex, 3);
  },
};

const indexOf = ({ index }: { readonly index: number }): number => index;
