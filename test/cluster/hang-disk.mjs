// Preloaded into a node's process: while the file that DISK_HANGS_WHILE_THERE_IS names is there, no write and no sync is done.
import fs from 'node:fs';

const sign = process.env.DISK_HANGS_WHILE_THERE_IS;

for (const name of ['write', 'fdatasync', 'fsync']) {
  const real = fs[name];
  fs[name] = (...args) => {
    const tryIt = () => {
      // The log file's writes name a place in it; those of log lines do not.
      const isOfLog = name !== 'write' || typeof args[4] === 'number';
      if (isOfLog && fs.existsSync(sign)) setTimeout(tryIt, 20);
      else real(...args);
    };
    tryIt();
  };
}
