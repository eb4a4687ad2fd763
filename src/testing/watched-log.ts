import type { LogRecord } from '../raft/messages.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { DiskError } from '../seams/disk.js';
import type { LogStore } from '../seams/log-store.js';
import type { DurabilityChecker } from './durability.js';
import type { SafetyChecker } from './safety.js';

export interface Checkers {
  readonly safety: SafetyChecker;
  readonly durability: DurabilityChecker;
}

/** The same log, with everything that is handed to it, and what of that is synced, shown to the checkers. */
export function watchedLog(log: LogStore, id: NodeId, { safety, durability }: Checkers): LogStore {
  const whenSynced = (done: (error?: Error) => void): ((error?: Error) => void) => {
    const synced = durability.syncs(id);
    return (error?: DiskError) => {
      if (error === undefined) synced();
      if (error?.code === 'QUORATE_STORAGE_FULL') synced(['vote']);
      done(error);
    };
  };
  return {
    open: (done, failed) =>
      log.open((error, recovered) => {
        if (recovered !== undefined) {
          safety.started(id, recovered.log);
          durability.started(id, recovered);
        }
        done(error, recovered);
      }, failed),
    append: (records: readonly LogRecord[]) => {
      safety.wrote(id, records);
      durability.wrote(id, records);
      log.append(records);
    },
    get unsyncedBytes() {
      return log.unsyncedBytes;
    },
    sync: (done) => log.sync(whenSynced(done)),
    cached: (from, limits) => log.cached(from, limits),
    read: (from, limits, done) => log.read(from, limits, done),
    trim: (upTo, keepBytes) => log.trim?.(upTo, keepBytes),
    close: (done) => log.close(whenSynced(done)),
  };
}
