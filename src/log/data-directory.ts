import { QuorateError } from '../errors/quorate-error.js';
import type { Disk } from '../seams/disk.js';
import type { KnownAddresses } from '../seams/known-addresses.js';
import type { KnownPeers } from '../seams/known-peers.js';
import type { SnapshotStore } from '../seams/snapshot-store.js';
import type { Identity } from '../seams/transport.js';
import type { EntryEncoder } from '../wire/records.js';
import type { AddressFile } from './address-file.js';
import { readAddresses } from './address-file.js';
import type { Members, Owner } from './identity-file.js';
import { IDENTITY_FILE, IdentityFile, readOwner } from './identity-file.js';
import { damage } from './log-failures.js';
import type { Checksum } from './segment-format.js';
import { segmentIdOf } from './segment-format.js';
import { SegmentedLog } from './segmented-log.js';
import { SnapshotFiles } from './snapshot-files.js';

export interface DataDirectoryOptions {
  readonly disk: Disk;
  readonly checksum: Checksum;
  /** Id of a cluster that starts now, made of its name and its members' ids. */
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
  /** The node's own, which its transport shares. Default: one for its log alone. */
  readonly entryEncoder?: EntryEncoder;
}

/** A locked data directory: whose it is, and its log, which is not opened yet. */
export interface DataDirectory {
  readonly identity: Identity;
  /** Members as the first start was given them: they count, whatever later starts are given. */
  readonly members: Members;
  /** Durable: whom this node has met, across restarts. */
  readonly knownPeers: KnownPeers;
  /** Where this node has reached its peers, across restarts. */
  readonly knownAddresses: KnownAddresses;
  readonly log: SegmentedLog;
  readonly snapshots: SnapshotStore;
  /** Lets other processes in. Close the log first. */
  unlock(done: (error?: Error) => void): void;
}

type Done<Value> = (error: Error | undefined, value?: Value) => void;

/**
 * Locks a data directory and finds out whose it is; makes it this node's where it is new. Fails with DATA_LOCKED, with
 * CONFIG_INVALID where it belongs to another node or cluster, with DATA_DAMAGED, or with the disk's own error; the lock
 * is let go then.
 */
export function openDataDirectory(
  options: DataDirectoryOptions,
  done: (error: Error | undefined, directory?: DataDirectory) => void,
): void {
  const { disk } = options;
  let directory: DataDirectory | undefined;
  const locked = (lockError: Error | undefined): void => {
    if (lockError !== undefined) return done(lockError);
    openFiles(options, (error, files) => {
      if (files === undefined) return disk.unlock(() => done(error));
      directory = ownDirectory(options, files);
      done(undefined, directory);
    });
  };
  disk.lock(locked, (error) => directory?.log.fail(error));
}

/** The small files of a directory. */
interface Files {
  readonly owner: IdentityFile;
  readonly addresses: AddressFile;
}

function ownDirectory(options: DataDirectoryOptions, { owner: file, addresses }: Files): DataDirectory {
  const { identity, members, hasLog } = file.owner;
  const salt = options.checksum(new TextEncoder().encode(identity.incarnation));
  const mark = { isSet: hasLog, set: (noted: (error?: Error) => void) => file.noteLog(noted) };
  const snapshots = new SnapshotFiles(options);
  const unlock: DataDirectory['unlock'] = (done) =>
    snapshots.close(() => addresses.close(() => file.close(() => options.disk.unlock((error) => done(error)))));
  const log = new SegmentedLog({ ...options, salt, mark, snapshots });
  return { identity, members, knownPeers: file, knownAddresses: addresses, log, snapshots, unlock };
}

function openFiles(options: DataDirectoryOptions, done: Done<Files>): void {
  const { disk } = options;
  disk.list((listError, names) => {
    if (listError !== undefined) return done(listError);
    openIdentity(options, names, (error, owner) => {
      if (owner === undefined) return done(error);
      const { incarnation } = owner.owner.identity;
      readAddresses({ disk, incarnation, names }, (addresses) => done(undefined, { owner, addresses }));
    });
  });
}

function openIdentity(options: DataDirectoryOptions, names: readonly string[], done: Done<IdentityFile>): void {
  if (names.includes(IDENTITY_FILE)) return openOwn(options, done);
  const hasLog = names.some((name) => segmentIdOf(name) !== undefined);
  if (hasLog) return done(damage(IDENTITY_FILE, 0, 'it is missing, but there are log files'));
  createIdentity(options, done);
}

function openOwn(options: DataDirectoryOptions, done: Done<IdentityFile>): void {
  readOwner(options.disk, (error, found) => {
    if (found === undefined) return done(error);
    const problem = foreignness(found.owner, options);
    if (problem !== undefined) return done(problem);
    const file = new IdentityFile(options.disk, found.owner);
    if (found.hasChecksum) return done(undefined, file);
    // That of an earlier version gets its checksum now.
    file.create((writeError) => (writeError === undefined ? done(undefined, file) : done(writeError)));
  });
}

function createIdentity(options: DataDirectoryOptions, done: Done<IdentityFile>): void {
  const { disk, clusterId, cluster, members, nodeId, makeIncarnation } = options;
  const identity: Identity = { clusterId, nodeId, incarnation: makeIncarnation() };
  const file = new IdentityFile(disk, { identity, cluster, members, hasLog: false, met: new Map() });
  file.create((error) => {
    if (error === undefined) done(undefined, file);
    else done(error);
  });
}

/** Why a directory is not this node's; undefined where it is. */
function foreignness({ identity, cluster }: Owner, options: DataDirectoryOptions): QuorateError | undefined {
  if (identity.nodeId !== options.nodeId) {
    return new QuorateError(
      'QUORATE_CONFIG_INVALID',
      `the data directory belongs to node ${identity.nodeId}, not ${options.nodeId}: give each node a directory of its own`,
    );
  }
  if (cluster === options.cluster) return undefined;
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    `the data directory belongs to the cluster named ${cluster}, not ${options.cluster}: start the node with the name of its first start (--cluster), or with another directory`,
  );
}
