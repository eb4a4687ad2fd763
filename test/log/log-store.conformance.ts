import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asIndex } from '../../src/raft/kinds.js';
import { termAt } from '../../src/raft/log-shape.js';
import type { LogStore } from '../../src/seams/log-store.js';
import { closed, opened, read, readAll, synced, textOf, write } from './asking.js';
import { commit, entries, entry, truncation, vote } from './records-to-write.js';

/** Where a log store keeps its log. */
export interface StorePlace {
  /** A store on this place. The one before it, if any, was closed. */
  store(): LogStore;
  clear(): void;
}

/** What every log store must do; run it against your own. */
export function describeLogStore(name: string, prepare: () => StorePlace): void {
  describe(`${name} is a log store`, () => {
    let place: StorePlace;
    let store: LogStore;

    beforeEach(() => {
      place = prepare();
      store = place.store();
    });
    afterEach(() => place.clear());

    const reopen = async (): Promise<Awaited<ReturnType<typeof opened>>> => {
      await closed(store);
      store = place.store();
      return opened(store);
    };

    test('a new log is empty', async () => {
      const recovered = await opened(store);
      expect(recovered).toMatchObject({ term: 0, votedFor: null, commitIndex: 0, lastTimeMs: 0, tornBytes: 0 });
      expect(recovered.log).toEqual({ previous: { index: 0, term: 0 }, lastIndex: 0, durableIndex: 0, runs: [] });
      expect(await read(store, 1)).toEqual([]);
    });

    test('what is appended can be read at once, and after a restart, field by field', async () => {
      await opened(store);
      store.append([entries(1, 3, 1), entries(4, 2, 2)]);
      expect(store.cached(asIndex(1), { maxEntries: 9, maxBytes: 999 })?.map(textOf)).toEqual([
        '1 of term 1',
        '2 of term 1',
        '3 of term 1',
        '4 of term 2',
        '5 of term 2',
      ]);
      await synced(store);
      const recovered = await reopen();
      expect(recovered.log).toMatchObject({ lastIndex: 5, durableIndex: 5 });
      expect(recovered.log.runs).toEqual([
        [1, 1],
        [4, 2],
      ]);
      expect(recovered.lastTimeMs).toBe(entry(5, 2).timeMs);
      expect(await readAll(store)).toEqual([1, 2, 3, 4, 5].map((index) => entry(index, index < 4 ? 1 : 2)));
    });

    test('entries of every kind and size come back', async () => {
      await opened(store);
      const kinds = ['command', 'no-op', 'configuration', 'session'] as const;
      const all = kinds.map((kind, at) => ({ ...entry(at + 1, 1, new Uint8Array(at * 20_000).fill(at)), kind }));
      await write(store, { kind: 'entries', entries: all });
      await reopen();
      expect(await readAll(store)).toEqual(all);
    });

    test('P1 term and vote come back together', async () => {
      await opened(store);
      await write(store, vote(3, 'n2'));
      expect(await reopen()).toMatchObject({ term: 3, votedFor: 'n2' });
      await write(store, vote(4, null));
      expect(await reopen()).toMatchObject({ term: 4, votedFor: null });
    });

    test('§5.3 what replaces a truncated end is read instead of it, before the sync, after it and after a restart', async () => {
      await opened(store);
      await write(store, entries(1, 6, 1));
      store.append([truncation(4), entries(4, 1, 2)]);
      const expected = ['1 of term 1', '2 of term 1', '3 of term 1', '4 of term 2'];
      expect((await readAll(store)).map(textOf)).toEqual(expected);
      await synced(store);
      expect((await readAll(store)).map(textOf)).toEqual(expected);
      const { log } = await reopen();
      expect((await readAll(store)).map(textOf)).toEqual(expected);
      expect([3, 4, 5].map((index) => termAt(log, asIndex(index)))).toEqual([1, 2, undefined]);
    });

    test('P13 a truncation lowers what is durable', async () => {
      await opened(store);
      await write(store, entries(1, 6, 1));
      await write(store, truncation(3));
      expect((await reopen()).log).toMatchObject({ lastIndex: 2, durableIndex: 2 });
      expect(await read(store, 3)).toEqual([]);
    });

    test('entries may be cut and written anew within one batch', async () => {
      await opened(store);
      await write(store, entries(1, 4, 1), truncation(2), entries(2, 3, 2), truncation(4), entries(4, 2, 3));
      await reopen();
      expect((await readAll(store)).map(({ term }) => term)).toEqual([1, 2, 2, 3, 3]);
      expect((await read(store, 4)).map(textOf)).toEqual(['4 of term 3', '5 of term 3']);
    });

    test('a read keeps its limits, and always brings one entry', async () => {
      await opened(store);
      await write(store, entries(1, 20, 1, new Uint8Array(100)));
      expect(await read(store, 5, 3, 10_000)).toHaveLength(3);
      expect(await read(store, 5, 100, 250)).toHaveLength(2);
      expect((await read(store, 5, 100, 1)).map(({ index }) => index)).toEqual([5]);
      expect((await read(store, 20)).map(({ index }) => index)).toEqual([20]);
      expect(await read(store, 21)).toEqual([]);
    });

    test('P16 a commit hint beyond the end of the log counts up to its end', async () => {
      await opened(store);
      await write(store, entries(1, 3, 1), commit(9));
      expect((await reopen()).commitIndex).toBe(3);
    });

    test('P17 the commit index never goes back', async () => {
      await opened(store);
      await write(store, entries(1, 5, 1), commit(4));
      await write(store, commit(2));
      expect((await reopen()).commitIndex).toBe(4);
    });

    test('a committed entry cannot be truncated, and the attempt leaves no trace', async () => {
      await opened(store);
      await write(store, entries(1, 5, 1), commit(4));
      expect(() => store.append([truncation(4)])).toThrow('committed');
      expect((await reopen()).log.lastIndex).toBe(5);
    });

    test('a clean stop is known as one until the next write', async () => {
      expect((await opened(store)).closedCleanly).toBe(false);
      expect((await reopen()).closedCleanly).toBe(true);
      await write(store, vote(1, 'n1'));
      store.append([entries(1, 1, 1)]);
      const recovered = await reopen();
      expect(recovered.closedCleanly).toBe(true);
      expect(recovered.log.lastIndex).toBe(1);
    });

    test('a sync of nothing is done', async () => {
      await opened(store);
      await synced(store);
      await write(store, vote(1, null));
      await synced(store);
    });

    test('P36 what waits for the disk is counted, until it is durable', async () => {
      await opened(store);
      expect(store.unsyncedBytes).toBe(0);
      store.append([entries(1, 2, 1, new Uint8Array(5_000))]);
      expect(store.unsyncedBytes).toBeGreaterThanOrEqual(10_000);
      await synced(store);
      expect(store.unsyncedBytes).toBe(0);
      const whenSynced = synced(store);
      store.append([entries(3, 1, 1, new Uint8Array(7_000))]);
      expect(store.unsyncedBytes).toBeGreaterThanOrEqual(7_000);
      await whenSynced;
      expect(store.unsyncedBytes).toBeGreaterThanOrEqual(7_000);
      await closed(store);
    });

    test('closing waits for the sync under way, and what was appended meanwhile is kept', async () => {
      await opened(store);
      const order: string[] = [];
      store.append([entries(1, 2, 1)]);
      const syncDone = synced(store).then(() => order.push('synced'));
      store.append([entries(3, 1, 1)]);
      const closeDone = closed(store).then(() => order.push('closed'));
      await Promise.all([syncDone, closeDone]);
      expect(order).toEqual(['synced', 'closed']);
      store = place.store();
      expect(await opened(store)).toMatchObject({ closedCleanly: true, log: { lastIndex: 3 } });
    });

    test('§5.3 a long end that is cut is never read again, from wherever in the new one a read begins', async () => {
      await opened(store);
      const payload = new Uint8Array(300);
      for (const term of [1, 2]) {
        if (term === 2) await write(store, truncation(5));
        for (let from = term === 1 ? 1 : 5; from <= 60; from += 4) await write(store, entries(from, 4, term, payload));
      }
      for (let from = 1; from <= 60; from += 1) {
        const [first] = await read(store, from);
        expect([first?.index, first?.term]).toEqual([from, from < 5 ? 1 : 2]);
      }
    });

    test('a long log with many restarts and truncations reads as what was last written', async () => {
      await opened(store);
      const expected: string[] = [];
      for (let round = 1; round <= 12; round += 1) {
        const from = Math.max(1, expected.length - 2);
        const records = round === 1 ? [] : [truncation(from)];
        expected.length = from - 1;
        const added = entries(from, 40, round);
        await write(store, ...records, added);
        for (let index = from; index < from + 40; index += 1) expected.push(`${index} of term ${round}`);
        if (round % 4 === 0) await reopen();
      }
      expect((await readAll(store)).map(textOf)).toEqual(expected);
    });
  });
}
