import type { Disk } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';
import type { Identity } from '../seams/transport.js';
import { damage } from './recovery.js';
import type { Checksum } from './segment-format.js';
import { segmentIdOf } from './segment-format.js';
import { SegmentedLog } from './segmented-log.js';

export interface DataDirectoryOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  readonly clusterId: string;
  readonly nodeId: string;
  /** Called once in a directory's life. */
  readonly makeIncarnation: () => string;
  readonly segmentBytes?: number;
  readonly cacheBytes?: number;
}

/** A locked data directory: whose it is, and its log, which is not opened yet. */
export interface DataDirectory {
  readonly identity: Identity;
  readonly log: SegmentedLog;
  /** Lets other processes in. Close the log first. */
  unlock(done: (error?: Error) => void): void;
}

type Done<Value> = (error: Error | undefined, value?: Value) => void;

const IDENTITY_FILE = 'identity.json';
const TEMPORARY_FILE = 'identity.tmp';
const FORMAT_VERSION = 1;

/**
 * Locks a data directory and finds out whose it is; makes it this node's where it is new. Fails with DATA_LOCKED, with
 * CONFIG_INVALID where it belongs to another node or cluster, with DATA_DAMAGED, or with the disk's own error; the lock
 * is let go then.
 */
export function openDataDirectory(options: DataDirectoryOptions, done: Done<DataDirectory>): void {
  const { disk } = options;
  disk.lock((lockError) => {
    if (lockError !== undefined) return done(lockError);
    openIdentity(options, (error, identity) => {
      if (identity === undefined) return disk.unlock(() => done(error));
      const salt = options.checksum(new TextEncoder().encode(identity.incarnation));
      const log = new SegmentedLog({ ...options, salt });
      done(undefined, { identity, log, unlock: (unlocked) => disk.unlock((unlockError) => unlocked(unlockError)) });
    });
  });
}

function openIdentity(options: DataDirectoryOptions, done: Done<Identity>): void {
  options.disk.list((error, names) => {
    if (error !== undefined) return done(error);
    if (names.includes(IDENTITY_FILE)) return readIdentity(options, done);
    if (names.some((name) => segmentIdOf(name) !== undefined)) {
      return done(damage(IDENTITY_FILE, 0, 'it is missing, but there are log files'));
    }
    writeIdentity(options, done);
  });
}

function readIdentity(options: DataDirectoryOptions, done: Done<Identity>): void {
  options.disk.open(IDENTITY_FILE, 'open', (openError, file) => {
    if (openError !== undefined) return done(openError);
    file.size((sizeError, size) => {
      if (sizeError !== undefined) return done(sizeError);
      file.read(0, size, (readError, bytes) => {
        file.close((closeError) => {
          const error = readError ?? closeError;
          if (error !== undefined) return done(error);
          try {
            done(undefined, checkIdentity(parse(bytes), options));
          } catch (thrown) {
            done(thrown as Error);
          }
        });
      });
    });
  });
}

/** Whole or not at all: written aside, synced, renamed, and the directory synced (P32). */
function writeIdentity(options: DataDirectoryOptions, done: Done<Identity>): void {
  const { disk, clusterId, nodeId, makeIncarnation } = options;
  const identity: Identity = { clusterId, nodeId, incarnation: makeIncarnation() };
  const bytes = new TextEncoder().encode(`${JSON.stringify({ version: FORMAT_VERSION, ...identity })}\n`);
  disk.remove(TEMPORARY_FILE, () => {
    disk.open(TEMPORARY_FILE, 'create', (openError, file) => {
      if (openError !== undefined) return done(openError);
      file.write(bytes, 0, (writeError) => {
        if (writeError !== undefined) return done(writeError);
        file.sync((syncError) => {
          file.close((closeError) => {
            const error = syncError ?? closeError;
            if (error !== undefined) return done(error);
            disk.rename(TEMPORARY_FILE, IDENTITY_FILE, (renameError) => {
              if (renameError !== undefined) return done(renameError);
              disk.syncDirectory((directoryError) => done(directoryError, directoryError ? undefined : identity));
            });
          });
        });
      });
    });
  });
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>;
  } catch (cause) {
    throw damage(IDENTITY_FILE, 0, `it is not readable (${(cause as Error).message})`);
  }
}

function checkIdentity(found: Record<string, unknown>, { clusterId, nodeId }: DataDirectoryOptions): Identity {
  const { version, incarnation } = found;
  if (version !== FORMAT_VERSION)
    throw damage(IDENTITY_FILE, 0, `its format version is ${version}, not ${FORMAT_VERSION}`);
  if (typeof incarnation !== 'string') throw damage(IDENTITY_FILE, 0, 'it names no incarnation');
  if (found.nodeId !== nodeId) {
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `the data directory belongs to node ${found.nodeId}, not ${nodeId}: give each node a directory of its own`,
    );
  }
  if (found.clusterId !== clusterId) {
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `the data directory belongs to cluster ${found.clusterId}, not ${clusterId}: start the node with the cluster name and the peers' ids of its first start, or with another directory`,
    );
  }
  return { clusterId, nodeId, incarnation };
}
