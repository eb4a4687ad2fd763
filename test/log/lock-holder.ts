import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { systemClock } from '../../src/node/system-clock.js';
import type { DiskFile } from '../../src/seams/disk.js';

/**
 * A process of its own, which does to a directory what it is told, and says how it went: `lock`, `unlock`, `open` a file,
 * `write` its one byte anew, `exhaust` all descriptors; `start` as a node's storage does and stop again; `grow` the file system.
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
  start: () => {
    const whose = { clusterId: 'c', cluster: 'c', members: { n1: 'n1' }, nodeId: 'n1', makeIncarnation: () => 'first' };
    openDataDirectory({ disk, checksum: nodeChecksum, segmentBytes: 8_192, ...whose }, (error, opened) => {
      if (opened === undefined) return outcome('nothing', error);
      opened.log.open((logError) => {
        opened.log.close(() => opened.unlock(() => outcome('started', logError)));
      });
    });
  },
  grow: () => {
    execFileSync('mount', ['-o', 'remount,size=1m', directory]);
    say('grown');
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
