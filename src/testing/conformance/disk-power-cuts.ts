import type { Disk, DiskError } from '../../seams/disk.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import type { DiskPlace } from './disk.js';
import {
  bytesOf,
  close,
  contentOf,
  lock,
  names,
  openFile,
  remove,
  rename,
  sync,
  syncDirectory,
  unlock,
  write,
  writeDurably,
} from './disk-calls.js';
import { mustBe, mustHold } from './expectations.js';

/** A place whose power can be cut: a simulated disk, or a virtual machine. */
export interface PowerCutDiskPlace extends DiskPlace {
  /** Ends every process that uses the directory, and makes it forget what was not synced, or a part of that. */
  cutPower(): void | Promise<void>;
}

/** The cases of a `Disk` that are about power cuts: what must survive one. `diskConformance` has the rest. */
export function diskPowerCutConformance(
  prepare: () => PowerCutDiskPlace | Promise<PowerCutDiskPlace>,
): readonly ConformanceCase[] {
  return casesOf(checks, async (check) => {
    const place = await prepare();
    try {
      await check(new LockedPlace(place));
    } finally {
      await place.clear();
    }
  });
}

class LockedPlace {
  readonly #place: PowerCutDiskPlace;

  constructor(place: PowerCutDiskPlace) {
    this.#place = place;
  }

  async start(): Promise<Disk> {
    const disk = this.#place.disk();
    await lock(disk);
    return disk;
  }

  /** The disk as the next process finds it. */
  async cutPower(): Promise<Disk> {
    await this.#place.cutPower();
    return this.start();
  }
}

/** Each case changes so many files, because one that survives by chance must not pass for one that was synced. */
const MANY = 12;
const each = Array.from({ length: MANY }, (_, at) => `file-${at}`);

/** A file's content; "nothing" where there is no such file. */
const survivor = (disk: Disk, name: string): Promise<string> =>
  contentOf(disk, name).catch((error: DiskError) => (error.code === 'ENOENT' ? 'nothing' : Promise.reject(error)));

const checks: Checks<LockedPlace> = {
  'a lock is gone with its process': async (given) => {
    await given.start();
    await unlock(await given.cutPower());
  },

  'P32 what was synced is there, in a file whose name was synced with its directory': async (given) => {
    const disk = await given.start();
    for (const name of each) {
      const file = await openFile(disk, name, 'create');
      await write(file, bytesOf('synced'));
      await sync(file);
      await close(file);
    }
    await syncDirectory(disk);
    const after = await given.cutPower();
    for (const name of each) mustBe(`the content of ${name}`, await survivor(after, name), 'synced');
  },

  'P18 what was written durably is there, over what was synced before': async (given) => {
    const disk = await given.start();
    for (const name of each) {
      const file = await openFile(disk, name, 'create');
      await write(file, bytesOf('one,'));
      await writeDurably(file, bytesOf('two'), 4);
      await sync(file);
      await writeDurably(file, bytesOf('TWO'), 4);
    }
    await syncDirectory(disk);
    const after = await given.cutPower();
    for (const name of each) mustBe(`the content of ${name}`, await survivor(after, name), 'one,TWO');
  },

  'P32 renames and removals are there once the directory is synced': async (given) => {
    const disk = await given.start();
    for (const name of each) {
      for (const [path, content] of [
        [name, 'old'],
        [`${name}.new`, 'new'],
        [`${name}.gone`, 'gone'],
      ] as const) {
        const file = await openFile(disk, path, 'create');
        await writeDurably(file, bytesOf(content));
        await close(file);
      }
      await rename(disk, `${name}.new`, name);
      await remove(disk, `${name}.gone`);
    }
    await syncDirectory(disk);
    const after = await given.cutPower();
    const found = (await names(after)).filter((name) => name.startsWith('file-'));
    mustBe('the names of all files', found, [...each].sort());
    for (const name of each) mustBe(`the content of ${name}`, await survivor(after, name), 'new');
  },

  'a file that was replaced by a rename is the old one or the new one, whole': async (given) => {
    const disk = await given.start();
    for (const name of each) {
      const file = await openFile(disk, name, 'create');
      await writeDurably(file, bytesOf('old'));
      await close(file);
    }
    await syncDirectory(disk);
    for (const name of each) {
      const file = await openFile(disk, `${name}.new`, 'create');
      await writeDurably(file, bytesOf('new'));
      await close(file);
      await rename(disk, `${name}.new`, name);
    }
    const after = await given.cutPower();
    for (const name of each) {
      const content = await survivor(after, name);
      mustHold(`${name} holds "old" or "new", not "${content}"`, content === 'old' || content === 'new');
    }
  },
};
