import { QuorateError } from '../errors/quorate-error.js';
import type { DataDirectory } from '../log/data-directory.js';
import { openDataDirectory } from '../log/data-directory.js';
import type { Owner } from '../log/identity-file.js';
import { readOwner } from '../log/identity-file.js';
import { NodeDisk, nodeChecksum } from '../log/node-disk.js';
import type { Entry, Skip } from '../raft/messages.js';
import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import { asIndex } from '../raft/numbers-and-ids.js';
import { checksumOf } from '../raft/skipping.js';
import type { Recovered } from '../seams/log-store.js';
import { systemClock } from './system-clock.js';

/** An entry that the state machine of a node is never given, as an operator said. */
export interface SkippedEntry {
  readonly id: NodeId;
  readonly index: number;
  readonly term: number;
  /** Size of its command. */
  readonly bytes: number;
  /** A checksum of its command: the same on every node. */
  readonly checksum: string;
  /** When the operator said so. */
  readonly skippedAt: string;
  /** It was skipped already, and nothing was written. */
  readonly already: boolean;
}

/**
 * Writes into the log of a node that is stopped that its state machine is never given entry `index`. Throws NOT_FOUND where the log has no such
 * command, or a snapshot stands for it already; CONFLICT where it is not known there that the entry is committed; DATA_LOCKED while the node runs;
 * and whatever else keeps the directory from being opened.
 */
export async function skipEntry(dataDir: string, index: number): Promise<SkippedEntry> {
  const disk = new NodeDisk(dataDir, systemClock);
  const { owner } = await promised<{ owner: Owner }>((done) => readOwner(disk, done)).catch((cause) => {
    const why =
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'it has no identity.json' : (cause as Error).message;
    const what = `expected --data to be the data directory of one node, got ${dataDir}: ${why}`;
    throw new QuorateError('QUORATE_CONFIG_INVALID', what, { cause });
  });
  const directory = await open(disk, owner).catch((error: QuorateError) => {
    throw inWordsOfSkipping(error);
  });
  try {
    return await skipIn(directory, asIndex(index));
  } finally {
    await promised<void>((done) => directory.unlock((error) => done(error)));
  }
}

/** Who skips starts no node: what a lock's error says to a node that starts would be no help. */
function inWordsOfSkipping(error: QuorateError): QuorateError {
  const { code, details } = error;
  const { directory, pid, host } = details;
  if (code !== 'QUORATE_DATA_LOCKED' || pid === undefined) return error;
  const what = `${directory} is in use by process ${pid} on ${host}: stop that node first, and skip the entry then`;
  return new QuorateError(code, what, { details, cause: error });
}

function open(disk: NodeDisk, { identity, cluster, members }: Owner): Promise<DataDirectory> {
  const { nodeId, clusterId } = identity;
  const makeIncarnation = (): string => identity.incarnation;
  const options = { disk, checksum: nodeChecksum, nodeId, clusterId, cluster, members, makeIncarnation };
  return promised<DataDirectory>((done) => openDataDirectory(options, done));
}

async function skipIn({ log, identity }: DataDirectory, index: Index): Promise<SkippedEntry> {
  const recovered = await promised<Recovered>((done) => log.open(done));
  try {
    const entry = await committedCommand(log, recovered, index);
    const before = recovered.skips?.find((skip) => skip.index === index);
    const skip = before ?? skipOf(entry);
    if (before === undefined) {
      log.append([skip]);
      // Closing would do it, too, but on a full disk it leaves out what nobody was told of, and says nothing.
      await promised<void>((done) => log.sync((error) => done(error)));
    }
    const { term, checksum, atMs } = skip;
    return {
      id: identity.nodeId,
      index,
      term,
      bytes: entry.payload.byteLength,
      checksum: checksum.toString(16).padStart(8, '0'),
      skippedAt: new Date(atMs).toISOString(),
      already: before !== undefined,
    };
  } finally {
    await promised<void>((done) => log.close((error) => done(error)));
  }
}

function skipOf({ index, term, payload }: Entry): Skip {
  return { kind: 'skip', index, term, checksum: checksumOf(payload), atMs: Date.now() };
}

async function committedCommand(
  log: DataDirectory['log'],
  { log: shape, commitIndex, snapshots = [] }: Recovered,
  index: Index,
): Promise<Entry> {
  if (index > shape.lastIndex)
    throw notFound(`expected an entry of this log, which ends at ${shape.lastIndex}, got ${index}`);
  const represented = Math.max(shape.previous.index, snapshots[0]?.index ?? 0);
  if (index <= represented) {
    throw notFound(
      `entry ${index} is in the snapshot at ${represented} with what it did: it is not applied again, and cannot be skipped here`,
    );
  }
  if (index > commitIndex) {
    throw new QuorateError(
      'QUORATE_CONFLICT',
      `entry ${index} is not known here to be committed, only those up to ${commitIndex} are: another may take its place. Start this node; if it halts at that entry, skip it then`,
    );
  }
  const limits = { maxEntries: 1, maxBytes: 1 };
  const [entry] = (await promised<readonly Entry[]>((done) => log.read(index, limits, done))) ?? [];
  if (entry?.kind === 'command') return entry;
  throw notFound(
    `expected entry ${index} to be a command, got a ${entry?.kind ?? 'missing entry'}: no state machine is given it`,
  );
}

const notFound = (message: string): QuorateError => new QuorateError('QUORATE_NOT_FOUND', message);

function promised<Value>(run: (done: (error?: Error, value?: Value) => void) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error === undefined ? resolve(value as Value) : reject(error)));
  });
}
