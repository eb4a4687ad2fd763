import { describe, expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import type { Recovered } from '../../src/seams/log-store.js';
import { entries, vote } from '../../src/testing/conformance/records-to-write.js';
import type { UnsyncedWrite } from '../../src/testing/virtual-disk.js';
import { SEGMENT_BYTES } from './log-on-disk.js';
import { SlowDisk } from './slow-disk.js';

type Phase = 'identity' | 'opening' | 'writing';
type Kind = 'identity' | 'segment header' | 'batch' | 'other';

/** Which sync lies. */
interface Sabotage {
  readonly file?: (kind: Kind, phase: Phase) => boolean;
  readonly directory?: (phase: Phase) => boolean;
}

/** How a life ends. */
type End = 'crash' | 'kill';

interface Promised {
  incarnation: string | undefined;
  index: number;
  term: number;
}

const SEEDS = 150;
const beginnings: readonly (readonly [string, Kind])[] = [
  ['{"ve', 'identity'],
  ['QURS', 'segment header'],
  ['QURB', 'batch'],
];

function kindOf(unsynced: readonly UnsyncedWrite[]): Kind {
  const start = new TextDecoder().decode(unsynced.at(-1)?.bytes.subarray(0, 4));
  return beginnings.find(([magic]) => magic === start)?.[1] ?? 'other';
}

/**
 * A node's storage through three lives, each cut short at a moment of the seed's choice. Whatever it told anybody must be
 * there in the next life: its incarnation, what it recovered, and every batch that it acknowledged.
 */
class Lives {
  readonly #disk: SlowDisk;
  readonly #promised: Promised = { incarnation: undefined, index: 0, term: 0 };
  #phase: Phase = 'identity';
  #made = 0;
  #refused: Error | undefined;
  #broken: string | undefined;

  constructor(seed: number, sabotage: Sabotage) {
    this.#disk = new SlowDisk(seed);
    this.#disk.ignoresSync = (_, unsynced) => sabotage.file?.(kindOf(unsynced), this.#phase) ?? false;
    this.#disk.ignoresDirectorySync = () => sabotage.directory?.(this.#phase) ?? false;
  }

  /** What went wrong, if anything. */
  run(steps: readonly number[], ends: readonly End[]): string | undefined {
    steps.forEach((count, life) => {
      this.#start();
      this.#disk.steps(count);
      if (ends[life] === 'kill') this.#disk.kill();
      else this.#disk.crash();
    });
    this.#start();
    this.#disk.finishAll();
    if (this.#refused !== undefined) return `does not start: ${this.#refused.message}`;
    return this.#broken;
  }

  #start(): void {
    this.#phase = 'identity';
    const makeIncarnation = (): string => {
      this.#made += 1;
      return `incarnation ${this.#made}`;
    };
    const cluster = { clusterId: 'c', cluster: 'c', members: { n1: 'n1' }, nodeId: 'n1', makeIncarnation };
    const options = { disk: this.#disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, ...cluster };
    openDataDirectory(options, (error, directory) => {
      this.#refused ??= error;
      if (directory !== undefined) this.#open(directory);
    });
  }

  #open({ identity, log }: DataDirectory): void {
    const { incarnation } = this.#promised;
    if (incarnation !== undefined && incarnation !== identity.incarnation) this.#broken ??= 'another incarnation';
    this.#promised.incarnation = identity.incarnation;
    this.#phase = 'opening';
    log.open((error, recovered) => {
      this.#refused ??= error;
      if (recovered === undefined) return;
      this.#check(recovered);
      this.#phase = 'writing';
      this.#write(log, recovered.log.lastIndex, recovered.term);
    });
  }

  #check({ log, term }: Recovered): void {
    if (log.lastIndex < this.#promised.index || term < this.#promised.term)
      this.#broken ??= 'lost what was acknowledged';
    this.#promise(log.lastIndex, term);
  }

  #write(log: DataDirectory['log'], index: number, term: number): void {
    log.append([vote(term + 1, 'n1'), entries(index + 1, 3, term + 1, 'x'.repeat(150))]);
    log.sync((error) => {
      this.#refused ??= error;
      if (error !== undefined) return;
      this.#promise(index + 3, term + 1);
      if (index < 60) this.#write(log, index + 3, term + 1);
    });
  }

  #promise(index: number, term: number): void {
    this.#promised.index = index;
    this.#promised.term = term;
  }
}

/** How the seeds fared; 0 where each of them kept its promises. */
function failures(sabotage: Sabotage, ends: readonly End[] = ['crash', 'crash', 'crash']): readonly string[] {
  return Array.from({ length: SEEDS }, (_, seed) => {
    const steps = [3 + (seed % 47), 5 + ((seed * 7) % 101), 8 + ((seed * 13) % 89)];
    return new Lives(seed, sabotage).run(steps, ends) ?? [];
  }).flat();
}

describe('every sync is needed: with each one left in, nothing acknowledged is ever lost; without it, something is', () => {
  test.each<readonly End[]>([
    ['crash', 'crash', 'crash'],
    ['kill', 'kill', 'crash'],
    ['kill', 'crash', 'kill'],
  ])('P32 no life loses anything and every start succeeds (%s, %s, %s)', (...ends) => {
    expect(failures({}, ends)).toEqual([]);
  });

  test('P18 the sync of a batch', () => {
    const found = failures({ file: (kind, phase) => kind === 'batch' && phase === 'writing' });
    expect(found).toContain('lost what was acknowledged');
  });

  test("the sync of a segment's header, before its first batch", () => {
    const found = failures({ file: (kind) => kind === 'segment header' });
    expect(found.join()).toContain('the header is not readable, and a batch follows');
  });

  test('P32 the sync of the directory, before a segment is used', () => {
    expect(failures({ directory: (phase) => phase !== 'identity' }).length).toBeGreaterThan(0);
  });

  test('the sync at a start of what a killed process wrote and never synced', () => {
    expect(failures({ file: (_, phase) => phase === 'opening' }, ['kill', 'crash', 'crash']).length).toBeGreaterThan(0);
  });

  test('the sync of the identity, before it gets its name', () => {
    const found = failures({ file: (kind) => kind === 'identity' });
    expect(found.join()).toContain('identity.json is damaged');
  });

  test('P32 the sync of the directory after the identity got its name', () => {
    expect(failures({ directory: (phase) => phase === 'identity' })).toContain('another incarnation');
  });
});
