import type { Disk } from '../../seams/disk.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import {
  bytesOf,
  close,
  contentOf,
  createFile,
  lock,
  mustFail,
  names,
  openFile,
  read,
  remove,
  rename,
  sizeOf,
  sync,
  syncDirectory,
  textOf,
  unlock,
  write,
  writeDurably,
} from './disk-calls.js';
import { mustBe, mustHold } from './expectations.js';

/** A data directory that does not exist yet, or is empty. */
export interface DiskPlace {
  /** The directory as one more process sees it; a disk in memory may be the same object each time. */
  disk(): Disk;
  /** Removes what the case has left. */
  clear(): void | Promise<void>;
}

/** What every `Disk` must do. `prepare` makes an empty place for each case. */
export function diskConformance(prepare: () => DiskPlace | Promise<DiskPlace>): readonly ConformanceCase[] {
  return casesOf({ ...locking, ...files, ...opening, ...naming }, async (check) => {
    const place = await prepare();
    try {
      await check({ place, disk: place.disk() });
    } finally {
      await place.clear();
    }
  });
}

interface Given {
  readonly place: DiskPlace;
  readonly disk: Disk;
}

/** The disk is locked for the time of the check, as by a node that has the directory. */
const locked =
  (check: (disk: Disk) => Promise<void>) =>
  async ({ disk }: Given): Promise<void> => {
    await lock(disk);
    try {
      await check(disk);
    } finally {
      await unlock(disk);
    }
  };

const locking: Checks<Given> = {
  'lock makes the directory, and keeps everybody else out until unlock': async ({ place, disk }) => {
    await lock(disk);
    await names(disk);
    const other = place.disk();
    await mustFail('a second lock', 'QUORATE_DATA_LOCKED', lock(other));
    await unlock(disk);
    await lock(other);
    await unlock(other);
  },
};

const files: Checks<Given> = {
  'bytes that were written are read, from any place on': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    mustBe('the size of a new file', await sizeOf(file), 0);
    await write(file, bytesOf('0123456789'));
    await write(file, bytesOf('abc'), 4);
    mustBe('the size', await sizeOf(file), 10);
    mustBe('all bytes', textOf(await read(file, 0, 10)), '0123abc789');
    mustBe('three bytes from 5 on', textOf(await read(file, 5, 3)), 'bc7');
    await close(file);
  }),

  'fewer bytes than were asked for are read only at the end of the file': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    await write(file, new Uint8Array(300_000).fill(7));
    const all = await read(file, 0, 300_000);
    mustHold('300,000 bytes are read whole', all.byteLength === 300_000 && all.every((byte) => byte === 7));
    mustBe('how many are read across the end', (await read(file, 299_998, 9)).byteLength, 2);
    mustBe('how many are read beyond the end', (await read(file, 300_000, 9)).byteLength, 0);
    await close(file);
  }),

  'a write beyond the end fills what is between with zeros': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    await write(file, bytesOf('a'));
    await write(file, bytesOf('b'), 4);
    mustBe('all bytes', await read(file, 0, 9), Uint8Array.of(97, 0, 0, 0, 98));
    await close(file);
  }),

  'writes that are under way together all land': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    await Promise.all([0, 1, 2, 3].map((at) => write(file, bytesOf(String(at).repeat(3)), at * 3)));
    mustBe('all bytes', textOf(await read(file, 0, 99)), '000111222333');
    await close(file);
  }),

  'bytes belong to whoever has them: changing them afterwards changes no file': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    const given = bytesOf('kept');
    await write(file, given);
    given.fill(0);
    const first = await read(file, 0, 4);
    mustBe('the file after the written bytes were changed', textOf(first), 'kept');
    first.fill(0);
    mustBe('the file after the read bytes were changed', textOf(await read(file, 0, 4)), 'kept');
    await close(file);
  }),

  'sync, writeDurably and syncDirectory answer, and change nothing that is read': locked(async (disk) => {
    const file = await openFile(disk, 'file', 'create');
    await write(file, bytesOf('abc'));
    await sync(file);
    await writeDurably(file, bytesOf('DE'), 3);
    await writeDurably(file, bytesOf('b'), 1);
    await syncDirectory(disk);
    mustBe('all bytes', textOf(await read(file, 0, 9)), 'abcDE');
    await close(file);
  }),
};

const opening: Checks<Given> = {
  'create makes a file, and fails with EEXIST where there is one, which it leaves alone': locked(async (disk) => {
    await createFile(disk, 'file', 'kept');
    await mustFail('create', 'EEXIST', openFile(disk, 'file', 'create'));
    mustBe('the file', await contentOf(disk, 'file'), 'kept');
  }),

  'open and read fail with ENOENT where there is no file, and make none': locked(async (disk) => {
    await mustFail('open', 'ENOENT', openFile(disk, 'file', 'open'));
    await mustFail('read', 'ENOENT', openFile(disk, 'file', 'read'));
    mustHold('no file was made', !(await names(disk)).includes('file'));
  }),

  'open goes on with what a file holds; read reads it and cannot write': locked(async (disk) => {
    await createFile(disk, 'file', 'abc');
    const opened = await openFile(disk, 'file', 'open');
    await write(opened, bytesOf('d'), 3);
    const reading = await openFile(disk, 'file', 'read');
    mustBe('all bytes', textOf(await read(reading, 0, 9)), 'abcd');
    const outcome = await write(reading, bytesOf('x')).then(
      () => 'done',
      () => 'failed',
    );
    mustBe('the outcome of a write to a file that was opened for reading', outcome, 'failed');
    mustBe('all bytes', textOf(await read(opened, 0, 9)), 'abcd');
    await close(reading);
    await close(opened);
  }),

  'a file that is open twice is one file': locked(async (disk) => {
    const first = await openFile(disk, 'file', 'create');
    const second = await openFile(disk, 'file', 'open');
    await write(first, bytesOf('ab'));
    await write(second, bytesOf('c'), 2);
    mustBe('what the first reads', textOf(await read(first, 0, 9)), 'abc');
    await close(first);
    mustBe('what the second reads once the first is closed', textOf(await read(second, 0, 9)), 'abc');
    await close(second);
  }),
};

const naming: Checks<Given> = {
  'list names every file, in no order, and none that was removed': locked(async (disk) => {
    const before = await names(disk);
    for (const name of ['b', 'a', 'c']) await createFile(disk, name, name);
    await remove(disk, 'b');
    const added = (await names(disk)).filter((name) => !before.includes(name));
    mustBe('the files that were added', added, ['a', 'c']);
    await mustFail('a removal of no file', 'ENOENT', remove(disk, 'b'));
  }),

  'rename gives a file another name, in place of one that had it': locked(async (disk) => {
    await createFile(disk, 'new', 'new');
    await createFile(disk, 'old', 'old');
    const open = await openFile(disk, 'new', 'open');
    await rename(disk, 'new', 'old');
    mustBe('the file', await contentOf(disk, 'old'), 'new');
    await write(open, bytesOf('er'), 3);
    await close(open);
    mustBe('the file, written through its old name,', await contentOf(disk, 'old'), 'newer');
    mustHold('the old name is gone', !(await names(disk)).includes('new'));
    await mustFail('a rename of no file', 'ENOENT', rename(disk, 'new', 'old'));
    mustBe('the file', await contentOf(disk, 'old'), 'newer');
  }),
};
