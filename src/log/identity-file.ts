import { QuorateError } from '../errors/quorate-error.js';
import { invariant } from '../raft/invariant.js';
import type { Disk } from '../seams/disk.js';
import type { KnownPeers } from '../seams/known-peers.js';
import type { Identity } from '../seams/transport.js';
import { crc32 } from './crc32.js';
import { damage, unknownFormat } from './log-failures.js';
import { readWhole, writeWhole } from './whole-file.js';

/** host:port of each server, by id. */
export type Members = Readonly<Record<string, string>>;

/** The content of identity.json. */
export interface Owner {
  readonly identity: Identity;
  readonly cluster: string;
  /** Members as the directory's first start was given them. */
  readonly members: Members;
  /** Whether there must be a log: one that is gone would let the node vote twice. */
  readonly hasLog: boolean;
  /** The incarnation of each peer that was met, by id. */
  readonly met: ReadonlyMap<string, string>;
}

type Change = (owner: Owner) => Owner;

interface PendingWrite {
  readonly change: Change;
  readonly done: (error?: Error) => void;
}

export const IDENTITY_FILE = 'identity.json';
const FILE = { name: IDENTITY_FILE, temporaryName: 'identity.tmp' };
const FORMAT_VERSION = 1;

/**
 * The file that says whose a data directory is and whom its node has met. Changes are written one after another, those that wait
 * together at once; a change that could not be made durable is not made at all.
 */
export class IdentityFile implements KnownPeers {
  readonly #disk: Disk;
  #owner: Owner;
  #waiting: PendingWrite[] = [];
  #isWriting = false;
  #whenClosed: (() => void) | undefined;

  constructor(disk: Disk, owner: Owner) {
    this.#disk = disk;
    this.#owner = owner;
  }

  /** The content that is durable. */
  get owner(): Owner {
    return this.#owner;
  }

  incarnationOf(peer: string): string | undefined {
    return this.#owner.met.get(peer);
  }

  remember(peer: string, incarnation: string, done: (error?: Error) => void): void {
    if (this.#owner.met.has(peer)) return done();
    this.#apply((owner) => {
      if (owner.met.has(peer)) return owner;
      return { ...owner, met: new Map([...owner.met, [peer, incarnation]]) };
    }, done);
  }

  noteLog(done: (error?: Error) => void): void {
    this.#apply((owner) => ({ ...owner, hasLog: true }), done);
  }

  /** Writes the file where there is none yet, or none with a checksum. */
  create(done: (error?: Error) => void): void {
    this.#apply((owner) => ({ ...owner }), done);
  }

  /** Takes no more changes, and calls back once none is under way: from then on another process may own the directory. */
  close(done: () => void): void {
    this.#whenClosed = done;
    if (!this.#isWriting) done();
  }

  #apply(change: Change, done: (error?: Error) => void): void {
    if (this.#whenClosed !== undefined)
      return done(new QuorateError('QUORATE_CLOSED', 'the data directory is being closed'));
    this.#waiting.push({ change, done });
    if (!this.#isWriting) this.#writeNext();
  }

  #writeNext(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    const owner = batch.reduce((changed, { change }) => change(changed), this.#owner);
    const written = (error?: Error): void => {
      this.#isWriting = false;
      if (error === undefined) this.#owner = owner;
      if (this.#waiting.length > 0) this.#writeNext();
      for (const { done } of batch) done(error);
      if (!this.#isWriting) this.#whenClosed?.();
    };
    if (owner === this.#owner) return written();
    const { hasLog, met } = this.#owner;
    invariant(owner.hasLog || !hasLog, 'a log that was noted once is expected for good');
    invariant(owner.met.size >= met.size, 'P43: a peer that was met is known for good');
    this.#isWriting = true;
    write(this.#disk, owner, written);
  }
}

function write(disk: Disk, owner: Owner, done: (error?: Error) => void): void {
  const { identity, cluster, members, hasLog, met } = owner;
  const fields = { version: FORMAT_VERSION, ...identity, cluster, members, hasLog, met: Object.fromEntries(met) };
  const content = new TextEncoder().encode(JSON.stringify(fields).slice(0, -1));
  writeWhole(disk, FILE, Uint8Array.from([...content, ...endFor(content)]), done);
}

/** The end of the file: the checksum of all that stands before it, as one more field. */
function endFor(content: Uint8Array): Uint8Array {
  return new TextEncoder().encode(`,"checksum":"${crc32(content).toString(16).padStart(8, '0')}"}\n`);
}

const END_BYTES = endFor(new Uint8Array()).byteLength;

/** Reads who owns the directory. Fails with DATA_DAMAGED, or with the disk's own error. A file of an earlier version has no checksum. */
export function readOwner(
  disk: Disk,
  done: (error: Error | undefined, found?: { readonly owner: Owner; readonly hasChecksum: boolean }) => void,
): void {
  readWhole(disk, IDENTITY_FILE, (error, bytes) => {
    if (bytes === undefined) return done(error);
    try {
      const hasChecksum = isChecked(bytes);
      const fields = parse(bytes);
      if (!hasChecksum) mustBeOld(fields);
      done(undefined, { owner: ownerIn(fields), hasChecksum });
    } catch (thrown) {
      done(thrown as Error);
    }
  });
}

/** Whether the file ends with the checksum of what stands before it. */
function isChecked(bytes: Uint8Array): boolean {
  const at = Math.max(0, bytes.byteLength - END_BYTES);
  const expected = endFor(bytes.subarray(0, at));
  return expected.every((byte, place) => byte === bytes[at + place]);
}

/** Fields of the versions that wrote no checksum. Where there is another one, the checksum is wrong, or what is left of it. */
const OLD_FIELDS = ['version', 'clusterId', 'nodeId', 'incarnation', 'cluster', 'members', 'hasLog', 'met'];

function mustBeOld(fields: Record<string, unknown>): void {
  const isOld = Object.keys(fields).every((name) => OLD_FIELDS.includes(name));
  if (!isOld) throw damage(IDENTITY_FILE, 0, 'its checksum is wrong');
}

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>;
  } catch (cause) {
    throw damage(IDENTITY_FILE, 0, `it is not readable (${(cause as Error).message})`);
  }
}

function ownerIn(found: Record<string, unknown>): Owner {
  const { version, incarnation, clusterId, nodeId, cluster, members, hasLog } = found;
  if (typeof version === 'number' && version > FORMAT_VERSION) throw unknownFormat(IDENTITY_FILE, version);
  if (version !== FORMAT_VERSION)
    throw damage(IDENTITY_FILE, 0, `its format version is ${version}, not ${FORMAT_VERSION}`);
  if (typeof incarnation !== 'string') throw damage(IDENTITY_FILE, 0, 'it names no incarnation');
  if (typeof clusterId !== 'string') throw damage(IDENTITY_FILE, 0, 'it names no cluster');
  if (!isRecordOfText(members)) throw damage(IDENTITY_FILE, 0, 'it names no members');
  // Directories of earlier versions have no such field: their nodes have met nobody.
  const met = found.met ?? {};
  if (!isRecordOfText(met)) throw damage(IDENTITY_FILE, 0, 'what it says of the peers that were met is not readable');
  const identity = { clusterId, nodeId: String(nodeId), incarnation };
  return { identity, cluster: String(cluster), members, hasLog: hasLog === true, met: new Map(Object.entries(met)) };
}

function isRecordOfText(found: unknown): found is Readonly<Record<string, string>> {
  if (typeof found !== 'object' || found === null) return false;
  return Object.values(found).every((value) => typeof value === 'string');
}
