import type { Disk, DiskDone, DiskError, DiskFile } from '../../seams/disk.js';
import { ConformanceFailure } from './conformance-case.js';
import { mustBe } from './expectations.js';

/** A call's answer as a promise; a second answer that comes with the first fails the case. */
export function answer<Value = void>(ask: (done: DiskDone<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    ask((error, value) => {
      answers += 1;
      if (answers > 1) return;
      queueMicrotask(() => {
        if (answers > 1) reject(new ConformanceFailure(`expected one answer to each call, got ${answers}`));
        else if (error === undefined) resolve(value);
        else reject(error);
      });
    });
  });
}

/** The call must fail, with this code. */
export async function mustFail(what: string, code: string, call: Promise<unknown>): Promise<void> {
  const outcome = await call.then(
    () => 'done',
    (error: DiskError) => error.code,
  );
  mustBe(`the outcome of ${what}`, outcome, code);
}

export const openFile = (disk: Disk, name: string, how: 'create' | 'open' | 'read'): Promise<DiskFile> =>
  answer<DiskFile>((done) => disk.open(name, how, done));

export const write = (file: DiskFile, bytes: Uint8Array, offset = 0): Promise<void> =>
  answer((done) => file.write(bytes, offset, done));

export const writeDurably = (file: DiskFile, bytes: Uint8Array, offset = 0): Promise<void> =>
  answer((done) => file.writeDurably(bytes, offset, done));

export const read = (file: DiskFile, offset: number, length: number): Promise<Uint8Array> =>
  answer<Uint8Array>((done) => file.read(offset, length, done));

export const sync = (file: DiskFile): Promise<void> => answer((done) => file.sync(done));
export const sizeOf = (file: DiskFile): Promise<number> => answer<number>((done) => file.size(done));
export const close = (file: DiskFile): Promise<void> => answer((done) => file.close(done));
export const syncDirectory = (disk: Disk): Promise<void> => answer((done) => disk.syncDirectory(done));
export const rename = (disk: Disk, from: string, to: string): Promise<void> =>
  answer((done) => disk.rename(from, to, done));
export const remove = (disk: Disk, name: string): Promise<void> => answer((done) => disk.remove(name, done));
export const lock = (disk: Disk): Promise<void> => answer((done) => disk.lock(done, () => undefined));
export const unlock = (disk: Disk): Promise<void> => answer((done) => disk.unlock(done));

/** The names of all files, sorted: a disk may have files of its own, such as its lock's. */
export async function names(disk: Disk): Promise<readonly string[]> {
  const found = await answer<readonly string[]>((done) => disk.list(done));
  return [...found].sort();
}

/** A new file with these bytes, closed. */
export async function createFile(disk: Disk, name: string, content: string): Promise<void> {
  const file = await openFile(disk, name, 'create');
  await write(file, bytesOf(content));
  await close(file);
}

/** All that a file holds, as text. */
export async function contentOf(disk: Disk, name: string): Promise<string> {
  const file = await openFile(disk, name, 'read');
  const bytes = await read(file, 0, await sizeOf(file));
  await close(file);
  return textOf(bytes);
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
