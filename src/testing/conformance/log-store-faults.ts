import type { LogStore } from '../../seams/log-store.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import { mustBe, mustHave, mustHold } from './expectations.js';
import type { LogStorePlace } from './log-store.js';
import { closed, opened, synced, write } from './log-store-calls.js';
import { entries, vote } from './records-to-write.js';

/** A place whose disk fails when a case asks for it. */
export interface FaultyLogStorePlace extends LogStorePlace {
  /** Makes the disk fail the next sync of the store in use. */
  failNextSync(): void;
  /** Ends the store in use without a close, and makes the disk forget what was not synced. */
  cutPower(): void;
}

/** What every durable `LogStore` must do when its disk fails or the power goes; `logStoreConformance` has the rest. */
export function logStoreFaultConformance(
  prepare: () => FaultyLogStorePlace | Promise<FaultyLogStorePlace>,
): readonly ConformanceCase[] {
  return casesOf(checks, async (check) => {
    const place = await prepare();
    try {
      await check(place);
    } finally {
      await place.clear();
    }
  });
}

/** The code of the error that a call fails with; `done` where it succeeds. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: { readonly code?: string }) => error.code ?? 'an error without a code',
  );
}

async function written(place: FaultyLogStorePlace): Promise<LogStore> {
  const store = place.store();
  await opened(store);
  await write(store, vote(1, 'n2'), entries(1, 3, 1));
  return store;
}

const checks: Checks<FaultyLogStorePlace> = {
  'P1 what was synced survives a power cut': async (place) => {
    await written(place);
    place.cutPower();
    const recovered = await opened(place.store());
    mustHave('what is recovered', recovered, { term: 1, votedFor: 'n2', closedCleanly: false });
    mustHave('the recovered log', recovered.log, { lastIndex: 3, durableIndex: 3 });
  },

  'a power cut during a sync leaves a log that opens, with all that was durable before': async (place) => {
    const store = await written(place);
    store.append([entries(4, 3, 1)]);
    store.sync(() => undefined);
    place.cutPower();
    const { log } = await opened(place.store());
    mustHold(
      'durable entries are recovered, and none that was never appended',
      log.lastIndex >= 3 && log.lastIndex <= 6,
    );
    mustBe('durableIndex', log.durableIndex, log.lastIndex);
  },

  'P31 after a failed sync nothing is acknowledged any more': async (place) => {
    const store = await written(place);
    place.failNextSync();
    store.append([entries(4, 1, 1)]);
    mustBe('the failed sync', await outcomeOf(synced(store)), 'QUORATE_HALTED');
    mustBe('a sync after it', await outcomeOf(synced(store)), 'QUORATE_HALTED');
    mustBe('a later write', await outcomeOf(write(store, vote(2, 'n1'))), 'QUORATE_HALTED');
  },

  'P31 closing a log that has failed claims no clean stop': async (place) => {
    const store = await written(place);
    place.failNextSync();
    mustBe('the failed sync', await outcomeOf(write(store, vote(2, 'n1'))), 'QUORATE_HALTED');
    await outcomeOf(closed(store));
    place.cutPower();
    const recovered = await opened(place.store());
    mustBe('closedCleanly', recovered.closedCleanly, false);
    mustBe('the last index', recovered.log.lastIndex, 3);
  },
};
