import type { Disk } from '../seams/disk.js';
import { QuorateError } from '../seams/errors.js';
import type { Identity } from '../seams/transport.js';
import { damage } from './recovery.js';
import type { Checksum } from './segment-format.js';
import { segmentIdOf } from './segment-format.js';
import type { LogMark } from './segmented-log.js';
import { SegmentedLog } from './segmented-log.js';

export interface DataDirectoryOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  /** Of a cluster that starts now, made of its name and its members' ids. */
  readonly clusterId: string;
  /** The cluster's name. */
  readonly cluster: string;
  /** Addresses by id, as they are given at this start. */
  readonly members: Members;
  readonly nodeId: string;
  /** Called once in a directory's life. */
  readonly makeIncarnation: () => string;
  readonly segmentBytes?: number;
  readonly cacheBytes?: number;
}

/** host:port of each server, by id. */
export type Members = Readonly<Record<string, string>>;

/** A locked data directory: whose it is, and its log, which is not opened yet. */
export interface DataDirectory {
  readonly identity: Identity;
  /** Of the first start: they count, whatever later starts are given. */
  readonly members: Members;
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
    openIdentity(options, (error, owner) => {
      if (owner === undefined) return disk.unlock(() => done(error));
      const { identity, members } = owner;
      const salt = options.checksum(new TextEncoder().encode(identity.incarnation));
      const log = new SegmentedLog({ ...options, salt, mark: markIn(disk, owner) });
      const unlock: DataDirectory['unlock'] = (unlocked) => disk.unlock((unlockError) => unlocked(unlockError));
      done(undefined, { identity, members, log, unlock });
    });
  });
}

/** What identity.json says. */
interface Owner {
  readonly identity: Identity;
  readonly cluster: string;
  readonly members: Members;
  /** Whether there must be a log: one that is gone would let the node vote twice. */
  readonly hasLog: boolean;
}

function markIn(disk: Disk, owner: Owner): LogMark {
  return { isSet: owner.hasLog, set: (done) => writeIdentity(disk, { ...owner, hasLog: true }, done) };
}

function openIdentity(options: DataDirectoryOptions, done: Done<Owner>): void {
  options.disk.list((error, names) => {
    if (error !== undefined) return done(error);
    if (names.includes(IDENTITY_FILE)) return readIdentity(options, done);
    if (names.some((name) => segmentIdOf(name) !== undefined)) {
      return done(damage(IDENTITY_FILE, 0, 'it is missing, but there are log files'));
    }
    const { disk, clusterId, cluster, members, nodeId, makeIncarnation } = options;
    const identity: Identity = { clusterId, nodeId, incarnation: makeIncarnation() };
    const owner: Owner = { identity, cluster, members, hasLog: false };
    writeIdentity(disk, owner, (writeError) => done(writeError, writeError === undefined ? owner : undefined));
  });
}

function readIdentity(options: DataDirectoryOptions, done: Done<Owner>): void {
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
function writeIdentity(disk: Disk, owner: Owner, done: (error?: Error) => void): void {
  const { identity, cluster, members, hasLog } = owner;
  const bytes = new TextEncoder().encode(
    `${JSON.stringify({ version: FORMAT_VERSION, ...identity, cluster, members, hasLog })}\n`,
  );
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
              disk.syncDirectory(done);
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

function checkIdentity(found: Record<string, unknown>, options: DataDirectoryOptions): Owner {
  const { version, incarnation, clusterId, nodeId, cluster } = found;
  if (version !== FORMAT_VERSION)
    throw damage(IDENTITY_FILE, 0, `its format version is ${version}, not ${FORMAT_VERSION}`);
  if (typeof incarnation !== 'string') throw damage(IDENTITY_FILE, 0, 'it names no incarnation');
  if (typeof clusterId !== 'string') throw damage(IDENTITY_FILE, 0, 'it names no cluster');
  if (!isMembers(found.members)) throw damage(IDENTITY_FILE, 0, 'it names no members');
  if (nodeId !== options.nodeId) {
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `the data directory belongs to node ${nodeId}, not ${options.nodeId}: give each node a directory of its own`,
    );
  }
  if (cluster !== options.cluster) {
    throw new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `the data directory belongs to the cluster named ${cluster}, not ${options.cluster}: start the node with the name of its first start (--cluster), or with another directory`,
    );
  }
  const identity = { clusterId, nodeId: options.nodeId, incarnation };
  return { identity, cluster, members: found.members, hasLog: found.hasLog === true };
}

function isMembers(found: unknown): found is Members {
  if (typeof found !== 'object' || found === null) return false;
  return Object.values(found).every((address) => typeof address === 'string');
}
