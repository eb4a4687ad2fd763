import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import type { LogRecord } from '../../src/raft/messages.js';
import type {
  Codec,
  Connection,
  Disk,
  DiskDone,
  DiskFile,
  KnownPeers,
  LogStore,
  Transport,
} from '../../src/seams/index.js';
import type { ConformanceCase } from '../../src/testing/index.js';
import {
  clockConformance,
  knownPeersRestartConformance,
  logStoreConformance,
  logStoreFaultConformance,
  Recorder,
  stateMachineConformance,
  transportConformance,
  VirtualClock,
} from '../../src/testing/index.js';
import { PeersKnownInMemory } from '../../transport/hello.js';
import { quickDisk } from '../log/slow-disk.js';
import { memoryWorld } from '../transport/memory-world.js';

const nothing = (): void => undefined;

export class ForgetsTheVote extends MemoryLogStore {
  override append(records: readonly LogRecord[]): void {
    super.append(records.map((record) => (record.kind === 'vote' ? { ...record, votedFor: null } : record)));
  }
}

export class CountsNoWaitingBytes extends MemoryLogStore {
  override get unsyncedBytes(): number {
    return 0;
  }
}

/** Answers a failed sync as if it had worked. */
class TrustsTheDisk extends SegmentedLog {
  override sync(done: (error?: Error) => void): void {
    super.sync(() => done());
  }
}

export class NeverClears extends VirtualClock {
  override clearTimeout(): void {
    // The timer runs all the same.
  }
}

export class RunsAtOnce extends VirtualClock {
  override defer(callback: () => void): void {
    callback();
  }
}

/** The object with some of its methods replaced. The others are called on it, because they look for its private fields. */
function changed<Real extends object>(real: Real, change: Partial<Real>): Real {
  return new Proxy(real, {
    get: (target, name) => {
      const value: unknown = Reflect.get(Object.hasOwn(change, name) ? change : target, name);
      return typeof value === 'function' && !Object.hasOwn(change, name) ? value.bind(target) : value;
    },
  });
}

export const diskWith = (change: (disk: Disk) => Partial<Disk>) => () => {
  const disk = quickDisk();
  return { disk: () => changed<Disk>(disk, change(disk)), cutPower: () => disk.crash(), clear: nothing };
};

/** A disk whose every file has something replaced. */
export const filesWith = (change: (file: DiskFile) => Partial<DiskFile>) =>
  diskWith((disk) => ({
    open: (name, how, done) =>
      disk.open(name, how, (error, file) => done(error, error === undefined ? changed(file, change(file)) : file)),
  }));

export const answersAtOnce = (...args: unknown[]): void => (args.at(-1) as DiskDone)(undefined);

export class KnowsTheLast implements KnownPeers {
  readonly #incarnations: Record<string, string> = {};
  incarnationOf(peer: string): string | undefined {
    return this.#incarnations[peer];
  }
  remember(peer: string, incarnation: string, done: (error?: Error) => void): void {
    this.#incarnations[peer] = incarnation;
    done();
  }
}

export const commands = ['one', 'two', 'three', 'one'];

export class ReadsTheClock extends Recorder {
  override apply(batch: Parameters<Recorder['apply']>[0]): readonly number[] {
    return super.apply(batch.map((committed) => ({ ...committed, command: `${committed.command} at ${Date.now()}` })));
  }
}

export class AnswersForTheBatch extends Recorder {
  override apply(batch: Parameters<Recorder['apply']>[0]): readonly number[] {
    const results = super.apply(batch);
    return results.map(() => results.at(-1) ?? 0);
  }
}

const LENT: Codec<string> = {
  encode: (text) => {
    const bytes = new TextEncoder().encode(text);
    buffer.set(bytes);
    return buffer.subarray(0, bytes.byteLength);
  },
  decode: (bytes) => new TextDecoder().decode(bytes),
};
const buffer = new Uint8Array(64);

export class EncodesIntoOneBuffer extends Recorder {
  override readonly codec = LENT;
}

export class NeverUsed extends Recorder {
  hasApplied(): boolean {
    return false;
  }
}

export class KeepsBytes extends Recorder {
  readonly #bytes: Uint8Array[] = [];

  decodeInPlace(bytes: Uint8Array): string {
    this.#bytes.push(bytes);
    return this.codec.decode(bytes);
  }

  override hash(): Uint8Array {
    this.commands.splice(0, this.#bytes.length, ...this.#bytes.map(this.codec.decode));
    return super.hash();
  }
}

export class CapturesLate extends Recorder {
  override capture(): ReturnType<Recorder['capture']> {
    return { chunks: () => super.capture().chunks(), release: nothing };
  }
}

/** The cases about bounds for a transport whose every connection has something replaced: the others take seconds. */
export function connectionsWith(change: (connection: Connection) => Partial<Connection>): readonly ConformanceCase[] {
  const cases = transportConformance(async () => {
    const world = memoryWorld();
    const endpoint = async (): ReturnType<typeof world.endpoint> => {
      const { transport, address } = await world.endpoint();
      const dial: Transport['dial'] = (...args) => {
        const connection = transport.dial(...args);
        return changed(connection, change(connection));
      };
      return { transport: { accept: transport.accept, dial }, address };
    };
    return { ...world, endpoint };
  });
  return cases.filter(({ name }) => name.includes('bounded'));
}

export const logStores = (make: () => LogStore): readonly ConformanceCase[] =>
  logStoreConformance(() => {
    const store = make();
    return { store: () => store, clear: nothing };
  });

export const trusting = logStoreFaultConformance(() => {
  const disk = quickDisk();
  return {
    store: () => new TrustsTheDisk({ disk, checksum: nodeChecksum }),
    failNextSync: () => disk.failNext('sync', 'EIO'),
    cutPower: () => disk.crash(),
    clear: nothing,
  };
});

export const clocks = (clock: VirtualClock): readonly ConformanceCase[] =>
  clockConformance(() => ({ clock, pass: async (ms) => clock.runFor(ms) }));

export const stateMachines = (make: () => Recorder): readonly ConformanceCase[] =>
  stateMachineConformance({ make, commands });

export const forgetful = knownPeersRestartConformance(() => {
  const restart = (): KnownPeers => new PeersKnownInMemory();
  return { knownPeers: new PeersKnownInMemory(), restart, clear: nothing };
});
