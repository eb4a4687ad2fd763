// What of a directory of files is durable: kept in a directory of its own, for kept-disk.mjs and for power cuts.
import realFs from 'node:fs';
import path from 'node:path';

const PIECE_BYTES = 1024 * 1024;
const PIECES = [Buffer.alloc(PIECE_BYTES), Buffer.alloc(PIECE_BYTES)];
/** Disks write these as a whole or not at all. */
const SECTOR_BYTES = 512;
const NO_FILES = { durable: {}, changes: [], inodes: {}, nextId: 1 };

/** Names of files by the number that each file has for good, and the content of each file as far as it was synced. */
export class KeptFiles {
  #directory;
  #kept;
  #fs;
  #state;
  /** By number: the stretches that were written and not synced. */
  #dirty = new Map();
  #descriptors = new Map();

  constructor(directory, kept, fs = realFs) {
    this.#directory = directory;
    this.#kept = kept;
    this.#fs = fs;
    fs.mkdirSync(kept, { recursive: true });
    this.#state = fs.existsSync(this.#at('names.json'))
      ? JSON.parse(fs.readFileSync(this.#at('names.json'), 'utf8'))
      : structuredClone(NO_FILES);
    this.#noticeChanges();
    // What an earlier process wrote and did not sync is in the kernel's memory still.
    for (const [name, id] of Object.entries(this.present)) {
      this.#dirty.set(id, this.#differences(name, id));
    }
  }

  /** Numbers by name, as a process sees the directory now. */
  get present() {
    const names = { ...this.#state.durable };
    for (const change of this.#state.changes) apply(names, change);
    return names;
  }

  get changes() {
    return [...this.#state.changes];
  }

  idOf(name) {
    return this.present[name];
  }

  created(name) {
    const id = this.#state.nextId++;
    this.#state.inodes[id] = this.#inodeOf(name);
    this.#change({ kind: 'create', name, id });
  }

  renamed(from, to) {
    this.#change({ kind: 'rename', from, name: to, id: this.idOf(from) });
  }

  removed(name) {
    this.#change({ kind: 'remove', name });
  }

  syncNames(covered) {
    const isCovered = (change) => covered.some(({ number }) => number === change.number);
    for (const change of this.#state.changes) if (isCovered(change)) apply(this.#state.durable, change);
    this.#state.changes = this.#state.changes.filter((change) => !isCovered(change));
    this.#save();
  }

  dirty(id, at, length) {
    const ranges = this.#dirty.get(id) ?? [];
    ranges.push({ at, length });
    this.#dirty.set(id, ranges);
  }

  /** Those of now: what is written later is not covered by a sync that begins now. */
  takeDirty(id) {
    const ranges = this.#dirty.get(id) ?? [];
    this.#dirty.set(id, []);
    return ranges;
  }

  /** These stretches of the file that the descriptor has open are durable. */
  sync(id, ranges, descriptor) {
    for (const { at, length } of ranges) {
      for (let from = at; from < at + length; from += PIECE_BYTES) {
        const piece = Buffer.alloc(Math.min(PIECE_BYTES, at + length - from));
        const read = this.#fs.readSync(descriptor, piece, 0, piece.byteLength, from);
        this.write(id, piece.subarray(0, read), from);
      }
    }
  }

  /** Zeros at the end only make the file longer: that takes no space. */
  write(id, bytes, at) {
    const descriptor = this.#descriptor(id);
    const { size } = this.#fs.fstatSync(descriptor);
    const end = at + bytes.byteLength;
    if (at >= size && bytes.every((byte) => byte === 0)) this.#fs.ftruncateSync(descriptor, Math.max(size, end));
    else this.#fs.writeSync(descriptor, bytes, 0, bytes.byteLength, at);
  }

  /**
   * The power goes, and comes back: the directory is what was kept, and by chance some of what was not synced: of each file nothing, all, the
   * beginning, or any of the sectors, and each change of a name or not. All of it is durable then. No process may have the directory open.
   */
  cutPower(random) {
    const fs = this.#fs;
    const present = this.present;
    const survivors = { ...this.#state.durable };
    let lostNames = 0;
    for (const change of this.#state.changes) {
      if (random() < 0.5) apply(survivors, change);
      else lostNames += 1;
    }
    let lostBytes = 0;
    const aside = new Map();
    for (const [name, id] of Object.entries(present)) {
      lostBytes += this.#loseSome(name, id, random);
      aside.set(id, path.join(this.#directory, `.file-${id}`));
      fs.renameSync(path.join(this.#directory, name), aside.get(id));
    }
    for (const [name, id] of Object.entries(survivors)) {
      const at = path.join(this.#directory, name);
      if (aside.has(id)) fs.renameSync(aside.get(id), at);
      else if (fs.existsSync(this.#at(`file-${id}`))) fs.copyFileSync(this.#at(`file-${id}`), at);
      else fs.writeFileSync(at, '');
      aside.delete(id);
    }
    for (const at of aside.values()) fs.rmSync(at, { force: true });
    // The lock of a process that is gone was never synced either.
    for (const name of fs.readdirSync(this.#directory)) {
      if (/^lock/.test(name) && random() < 0.5)
        fs.rmSync(path.join(this.#directory, name), { recursive: true, force: true });
    }
    this.#state.durable = survivors;
    this.#state.changes = [];
    this.#state.inodes = Object.fromEntries(Object.entries(survivors).map(([name, id]) => [id, this.#inodeOf(name)]));
    this.#dirty.clear();
    this.#save();
    this.close();
    const ids = new Set(Object.values(survivors).map((id) => `file-${id}`));
    for (const name of fs.readdirSync(this.#kept)) if (/^file-/.test(name) && !ids.has(name)) fs.rmSync(this.#at(name));
    return { lostBytes, lostNames };
  }

  close() {
    for (const descriptor of this.#descriptors.values()) this.#fs.closeSync(descriptor);
    this.#descriptors.clear();
  }

  /** Makes a file and what is kept of it the same: what survives of each difference is chance. Returns how many bytes were lost. */
  #loseSome(name, id, random) {
    const fs = this.#fs;
    const file = fs.openSync(path.join(this.#directory, name), 'r+');
    const fate = random();
    let lost = 0;
    let survivesUpTo = Number.POSITIVE_INFINITY;
    const differences = this.#differences(name, id);
    const last = differences.at(-1);
    if (fate >= 0.5 && fate < 0.75 && last !== undefined) {
      const first = differences[0].at;
      survivesUpTo = first + Math.floor(random() * (last.at + last.length - first));
    }
    let end = fs.fstatSync(this.#descriptor(id)).size;
    for (const { at, length } of differences) {
      const now = Buffer.alloc(length);
      fs.readSync(file, now, 0, length, at);
      const survives =
        fate < 0.25 ? false : fate < 0.5 ? true : fate < 0.75 ? at + length <= survivesUpTo : random() < 0.5;
      if (survives) {
        fs.writeSync(this.#descriptor(id), now, 0, length, at);
        end = Math.max(end, at + length);
        continue;
      }
      lost += length;
      const before = Buffer.alloc(length);
      fs.readSync(this.#descriptor(id), before, 0, length, at);
      fs.writeSync(file, before, 0, length, at);
    }
    fs.ftruncateSync(file, end);
    fs.closeSync(file);
    return lost;
  }

  /** Sectors of a file that are not what is kept of it; what the kept file does not reach is not. */
  #differences(name, id) {
    const fs = this.#fs;
    const at = path.join(this.#directory, name);
    if (!fs.existsSync(at)) return [];
    const file = fs.openSync(at, 'r');
    const { size } = fs.fstatSync(file);
    const keptSize = fs.fstatSync(this.#descriptor(id)).size;
    const found = [];
    for (let from = 0; from < size; from += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, size - from);
      const [now, then] = PIECES.map((piece) => piece.subarray(0, length));
      fs.readSync(file, now, 0, length, from);
      const read = fs.readSync(this.#descriptor(id), then, 0, length, from);
      then.fill(0, read);
      if (now.equals(then) && from + length <= keptSize) continue;
      for (let sector = 0; sector < length; sector += SECTOR_BYTES) {
        const end = Math.min(length, sector + SECTOR_BYTES);
        const isSame = now.subarray(sector, end).equals(then.subarray(sector, end)) && from + end <= keptSize;
        if (!isSame) found.push({ at: from + sector, length: end - sector });
      }
    }
    fs.closeSync(file);
    return found;
  }

  /** A process that was killed may have changed a name without having noted it here. */
  #noticeChanges() {
    const names = this.#fs
      .readdirSync(this.#directory)
      .filter((name) => !/^lock/.test(name) && !/^[.]file-/.test(name));
    for (const name of names) {
      const inode = this.#inodeOf(name);
      const id = this.idOf(name);
      if (id !== undefined && this.#state.inodes[id] === inode) continue;
      const old = Object.entries(this.present).find(([, other]) => this.#state.inodes[other] === inode);
      if (old === undefined) this.created(name);
      else this.renamed(old[0], name);
    }
    for (const name of Object.keys(this.present)) if (!names.includes(name)) this.removed(name);
  }

  #inodeOf(name) {
    return this.#fs.statSync(path.join(this.#directory, name)).ino;
  }

  #change(change) {
    this.#state.changes.push({ ...change, number: this.#state.nextId++ });
    this.#save();
  }

  #save() {
    this.#fs.writeFileSync(this.#at('names.tmp'), JSON.stringify(this.#state));
    this.#fs.renameSync(this.#at('names.tmp'), this.#at('names.json'));
  }

  #descriptor(id) {
    const known = this.#descriptors.get(id);
    if (known !== undefined) return known;
    const at = this.#at(`file-${id}`);
    const descriptor = this.#fs.openSync(at, this.#fs.existsSync(at) ? 'r+' : 'wx+');
    this.#descriptors.set(id, descriptor);
    return descriptor;
  }

  #at(name) {
    return path.join(this.#kept, name);
  }
}

function apply(names, { kind, name, from, id }) {
  if (kind === 'rename') delete names[from];
  if (kind === 'remove') delete names[name];
  else names[name] = id;
}
