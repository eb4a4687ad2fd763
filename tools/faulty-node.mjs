// Preloaded into a node's process: does to it what the pictures need, when the parent process sends the fault's name.
import fs from 'node:fs';
import { KeyValueStore } from '../dist/src/key-value/store.js';

const FAULTS = {
  /** No file can be made any more; what there is can be written, as on a real disk. */
  'full disk': () => {
    const { open } = fs;
    fs.open = (at, flags, ...rest) => {
      if (flags !== 'wx+') return open(at, flags, ...rest);
      const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      process.nextTick(rest.at(-1), error);
    };
  },
  /** Its state machine applies one command twice. */
  'wrong state': () => {
    const { apply } = KeyValueStore.prototype;
    KeyValueStore.prototype.apply = function twice(batch) {
      KeyValueStore.prototype.apply = apply;
      return apply.call(this, [...batch.slice(0, 1), ...batch]).slice(1);
    };
  },
};

process.on('message', (fault) => FAULTS[fault]());
// The channel keeps no process running.
process.channel.unref();
