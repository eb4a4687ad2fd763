import { systemClock } from '../../src/replica-node/system-clock.js';
import { NodeDisk } from '../../src/storage/node-disk.js';

/** A process of its own: on `lock` it tries to lock the directory and says how it went; on `unlock` it lets go. */
const disk = new NodeDisk(process.argv[2] ?? '', systemClock);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

process.stdin.setEncoding('utf8');
process.stdin.on('data', (commands: string) => {
  for (const command of commands.trim().split('\n')) {
    if (command === 'lock')
      disk.lock((error) => say(error === undefined ? 'locked' : `${error.code} ${error.message}`));
    if (command === 'unlock') disk.unlock(() => say('unlocked'));
  }
});
say('ready');
