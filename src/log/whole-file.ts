import type { Disk } from '../seams/disk.js';

/** A small file that is written whole or not at all. */
export interface WholeFile {
  readonly name: string;
  /** Where it is written before it takes its place. */
  readonly temporaryName: string;
}

/** Whole or not at all: written aside, synced, renamed, and the directory synced (P32). */
export function writeWhole(disk: Disk, file: WholeFile, bytes: Uint8Array, done: (error?: Error) => void): void {
  const { name, temporaryName } = file;
  inOrder(
    [
      // It is there only where an earlier write was cut short.
      (next) => disk.remove(temporaryName, () => next()),
      (next) => createFile(disk, temporaryName, bytes, next),
      (next) => disk.rename(temporaryName, name, next),
      (next) => disk.syncDirectory(next),
    ],
    done,
  );
}

/** A new file with these bytes, synced. It is closed whatever fails. */
function createFile(disk: Disk, name: string, bytes: Uint8Array, done: (error?: Error) => void): void {
  disk.open(name, 'create', (openError, file) => {
    if (openError !== undefined) return done(openError);
    inOrder([(next) => file.write(bytes, 0, next), (next) => file.sync(next)], (error) => {
      file.close((closeError) => done(error ?? closeError));
    });
  });
}

/** All bytes of a file. It is closed whatever fails. */
export function readWhole(
  disk: Disk,
  name: string,
  done: (error: Error | undefined, bytes?: Uint8Array) => void,
): void {
  disk.open(name, 'read', (openError, file) => {
    if (openError !== undefined) return done(openError);
    const finish = (error: Error | undefined, bytes?: Uint8Array): void => {
      file.close((closeError) => {
        const failure = error ?? closeError;
        if (failure === undefined) done(undefined, bytes);
        else done(failure);
      });
    };
    file.size((sizeError, size) => {
      if (sizeError !== undefined) finish(sizeError);
      else file.read(0, size, finish);
    });
  });
}

type Done = (error?: Error) => void;

/** Takes each step when the one before it is done, up to the first that fails. */
export function inOrder(steps: readonly ((done: Done) => void)[], done: Done): void {
  const [step, ...others] = steps;
  if (step === undefined) return done();
  step((error) => {
    if (error === undefined) inOrder(others, done);
    else done(error);
  });
}
