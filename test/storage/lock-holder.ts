import fs from 'node:fs';
import { systemClock } from '../../src/replica-node/system-clock.js';
import type { DiskFile } from '../../src/seams/disk.js';
import { NodeDisk } from '../../src/storage/node-disk.js';

/**
 * A process of its own, which does to a directory what it is told, and says how it went: `lock`, `unlock`, `open` a file,
 * `write` its one byte anew, `exhaust` all descriptors.
 */
const [, , directory = '', beatMs] = process.argv;
const disk = new NodeDisk(directory, systemClock, { beatMs: Number(beatMs) });
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const outcome = (what: string, error: (Error & { code?: string | undefined }) | undefined): void =>
  say(error === undefined ? what : `${error.code} ${error.message}`);
let file: DiskFile | undefined;
let byte = 64;

const commands: Readonly<Record<string, () => void>> = {
  lock: () =>
    disk.lock(
      (error) => outcome('locked', error),
      (error) => say(`lost ${error.code} ${error.message}`),
    ),
  unlock: () => disk.unlock(() => say('unlocked')),
  open: () =>
    disk.open('file', 'create', (error, opened) => {
      file = opened;
      outcome('opened', error);
    }),
  write: () => {
    byte += 1;
    file?.writeDurably(new Uint8Array([byte]), 0, (error) => outcome('written', error));
  },
  exhaust: () => {
    try {
      for (;;) fs.openSync('/dev/null', 'r');
    } catch (error) {
      say((error as { code: string }).code);
    }
  },
};

process.stdin.setEncoding('utf8');
process.stdin.on('data', (lines: string) => {
  for (const command of lines.trim().split('\n')) commands[command]?.();
});
say('ready');
