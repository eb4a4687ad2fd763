// Preloaded into a node's process: keeps, beside its data directory, what a power cut would leave of it. The process works on ordinary files,
// which are what the kernel's memory is on a real machine; each sync copies what it makes durable into the kept directory. The power cut
// itself is `cutPower` of kept-files.mjs: it makes the data directory what was kept, and by chance some of what was not synced.
//
// DISK_DIRECTORY is the data directory, KEPT_DIRECTORY where its durable content is kept. Writes, syncs and changes of names go through
// node:fs as the log's disk uses it; another function of node:fs that would change a file there ends the process, so that none is missed. The
// directory's lock is left alone: it is never synced.
import fs from 'node:fs';
import path from 'node:path';
import { KeptFiles } from './kept-files.mjs';

const directory = path.resolve(process.env.DISK_DIRECTORY);
const real = { ...fs };
const kept = new KeptFiles(directory, process.env.KEPT_DIRECTORY, real);
/** By descriptor: the file, and whether each write to it is synced. */
const open = new Map();
/** How long a sync takes at most. Whoever dies in the meantime has not synced. */
const MOST_SYNC_MS = 3;

const nameOf = (at) => {
  const relative = path.relative(directory, path.resolve(String(at)));
  const isOwn = relative !== '' && !relative.startsWith('..') && relative !== 'lock' && !/^lock[./]/.test(relative);
  return isOwn ? relative : undefined;
};
const isDirectory = (at) => path.resolve(String(at)) === directory;
const later = (run) => setTimeout(run, Math.random() * MOST_SYNC_MS);

/** The process is killed in the midst of a snapshot: at the call whose number this file says, before it or after it. */
const DIE_FILE = `${process.env.KEPT_DIRECTORY}.die`;
let callsOfSnapshot = -1;
let dieAt = Number.POSITIVE_INFINITY;
function mayDie(name, call, args) {
  if (name === 'snapshot.tmp' && callsOfSnapshot < 0 && real.existsSync(DIE_FILE)) {
    dieAt = Number(real.readFileSync(DIE_FILE, 'utf8'));
    callsOfSnapshot = 0;
  }
  const isOfSnapshot = callsOfSnapshot >= 0 && (name === '' || /^snapshot/.test(name));
  if (!isOfSnapshot || callsOfSnapshot++ < dieAt) return call(...args);
  if (Math.random() < 0.5) call(...args);
  real.rmSync(DIE_FILE);
  process.kill(process.pid, 'SIGKILL');
}

fs.open = (at, flags, ...rest) => {
  const done = rest.at(-1);
  const name = nameOf(at);
  if (name === undefined && !isDirectory(at)) return real.open(at, flags, ...rest);
  const isNew = flags === 'wx+';
  if (!isNew && flags !== 'r' && flags !== 'r+' && typeof flags !== 'number') refuse(`open of ${at} for ${flags}`);
  const call = () =>
    real.open(at, flags, ...rest.slice(0, -1), (error, descriptor) => {
      if (error !== null) return done(error, descriptor);
      if (name === undefined) open.set(descriptor, { isDirectory: true });
      else {
        if (isNew) kept.created(name);
        open.set(descriptor, {
          name,
          id: kept.idOf(name),
          isDurable: typeof flags === 'number' && (flags & fs.constants.O_DSYNC) !== 0,
        });
      }
      done(null, descriptor);
    });
  return mayDie(name ?? '-', call, []);
};

fs.write = (descriptor, bytes, from, length, at, done) => {
  const file = open.get(descriptor);
  if (file === undefined) return real.write(descriptor, bytes, from, length, at, done);
  const call = () =>
    real.write(descriptor, bytes, from, length, at, (error, written, buffer) => {
      if (error !== null) return done(error, written, buffer);
      if (!file.isDurable) {
        kept.dirty(file.id, at, written);
        return done(null, written, buffer);
      }
      const copy = Buffer.from(bytes.subarray(from, from + written));
      later(() => {
        kept.write(file.id, copy, at);
        done(null, written, buffer);
      });
    });
  return mayDie(file.name, call, []);
};

fs.fdatasync = (descriptor, done) => {
  const file = open.get(descriptor);
  if (file === undefined) return real.fdatasync(descriptor, done);
  const ranges = kept.takeDirty(file.id);
  const call = () =>
    later(() => {
      kept.sync(file.id, ranges, descriptor);
      done(null);
    });
  return mayDie(file.name, call, []);
};

fs.fsync = (descriptor, done) => {
  if (open.get(descriptor)?.isDirectory !== true) return fs.fdatasync(descriptor, done);
  const covered = kept.changes;
  const call = () =>
    later(() => {
      kept.syncNames(covered);
      done(null);
    });
  return mayDie('', call, []);
};

fs.close = (descriptor, done) => {
  open.delete(descriptor);
  real.close(descriptor, done);
};

fs.rename = (from, to, done) => {
  const [old, name] = [nameOf(from), nameOf(to)];
  if (name === undefined) return real.rename(from, to, done);
  const call = () =>
    real.rename(from, to, (error) => {
      if (error === null) kept.renamed(old, name);
      done(error);
    });
  return mayDie(old, call, []);
};

fs.unlink = (at, done) => {
  const name = nameOf(at);
  if (name === undefined) return real.unlink(at, done);
  const call = () =>
    real.unlink(at, (error) => {
      if (error === null) kept.removed(name);
      done(error);
    });
  return mayDie(name, call, []);
};

function refuse(what) {
  process.stderr.write(`kept-disk.mjs does not cover ${what}: a power cut would not be shown as it is\n`);
  process.abort();
}

const CHANGING = [
  'appendFile',
  'writeFile',
  'truncate',
  'copyFile',
  'cp',
  'link',
  'symlink',
  'rm',
  'rename',
  'unlink',
  'open',
];
const COVERED = ['open', 'rename', 'unlink'];

/** Ends the process where this function would change a file of the directory without being covered. */
function guard(functions, name) {
  const own = functions[name];
  functions[name] = (...args) => {
    const isRead = /^open/.test(name) && args[1] === 'r';
    const changed = isRead
      ? undefined
      : args.slice(0, 2).find((at) => typeof at === 'string' && nameOf(at) !== undefined);
    if (changed !== undefined) refuse(`${name} of ${changed}`);
    return own.apply(functions, args);
  };
}

for (const name of CHANGING) {
  if (!COVERED.includes(name)) guard(fs, name);
  guard(fs, `${name}Sync`);
  guard(fs.promises, name);
}
for (const name of ['writeSync', 'writev', 'writevSync', 'ftruncate', 'ftruncateSync', 'fdatasyncSync']) {
  const own = fs[name];
  fs[name] = (descriptor, ...args) => (open.has(descriptor) ? refuse(name) : own(descriptor, ...args));
}
