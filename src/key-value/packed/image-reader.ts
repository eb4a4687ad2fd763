import { QuorateError } from '../../errors/quorate-error.js';
import { ByteReader, MalformedBytes } from '../../wire/bytes.js';
import { MOST_KEY_BYTES } from '../codec.js';
import { FRAME_HEAD_BYTES, frameChecksum, IMAGE_START } from './image-format.js';
import { PackedEntries } from './packed-entries.js';
import type { Location } from './pages.js';

/** The content of an image. */
export interface RestoredState {
  readonly revision: number;
  readonly entries: PackedEntries;
}

/** Takes the pieces of an image, and says what it holds when there are no more. Throws MalformedBytes. */
interface Format {
  write(piece: Uint8Array): void;
  finish(): RestoredState;
}

/**
 * Reads an image into entries of its own, piece by piece, so that no piece and no end takes long. Throws DATA_DAMAGED where it is not what was
 * written, and from then on always.
 */
export class ImageReader {
  #format: Format | undefined;
  #damage: QuorateError | undefined;

  write(piece: Uint8Array): void {
    this.#guarded(() => {
      this.#format ??= isFirstFormat(piece) ? new FirstFormat() : new FramedFormat();
      this.#format.write(piece);
    });
  }

  finish(): RestoredState {
    return this.#guarded(() => {
      if (this.#format === undefined) throw new MalformedBytes('it is empty');
      return this.#format.finish();
    });
  }

  #guarded<Value>(work: () => Value): Value {
    if (this.#damage !== undefined) throw this.#damage;
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof MalformedBytes)) throw cause;
      const message = `the image of the key-value store is damaged: ${cause.message}. Restore another one, as that of another node`;
      this.#damage = new QuorateError('QUORATE_DATA_DAMAGED', message, { cause });
      throw this.#damage;
    }
  }
}

/** The format of `image-format.ts`, cut into pieces anywhere. */
class FramedFormat implements Format {
  readonly #entries = new PackedEntries();
  readonly #content = contentOf(this.#entries);
  /** Size of the bytes that the content asks for next; undefined at its end. */
  #needed: number | undefined;
  #parts: Uint8Array[] = [];
  #have = 0;
  #state: RestoredState | undefined;

  constructor() {
    this.#goOn(this.#content.next());
  }

  write(piece: Uint8Array): void {
    const rest = this.#have === 0 ? this.#readInPlace(piece) : piece;
    if (rest.byteLength > 0) this.#parts.push(new Uint8Array(rest));
    this.#have += rest.byteLength;
    while (this.#needed !== undefined && this.#have >= this.#needed) {
      this.#goOn(this.#content.next(this.#taken(this.#needed)));
    }
    if (this.#needed === undefined && this.#have > 0) throw new MalformedBytes('there is more behind its end');
  }

  finish(): RestoredState {
    if (this.#state !== undefined) return this.#state;
    throw new MalformedBytes(
      `it ends early, where ${this.#needed} bytes more should be, with ${this.#have} of them there`,
    );
  }

  /** Reads what is whole in this piece without a copy, because the content keeps none of its bytes. Returns the rest. */
  #readInPlace(piece: Uint8Array): Uint8Array {
    let at = 0;
    while (this.#needed !== undefined && piece.byteLength - at >= this.#needed) {
      const end = at + this.#needed;
      this.#goOn(this.#content.next(piece.subarray(at, end)));
      at = end;
    }
    return piece.subarray(at);
  }

  #goOn(asked: IteratorResult<number, RestoredState>): void {
    this.#needed = asked.done ? undefined : asked.value;
    if (asked.done) this.#state = asked.value;
  }

  /** The next `length` bytes that have come, in one array. */
  #taken(length: number): Uint8Array {
    const taken = new Uint8Array(length);
    let filled = 0;
    let used = 0;
    while (filled < length) {
      const part = this.#parts[used] as Uint8Array;
      const fits = part.subarray(0, length - filled);
      taken.set(fits, filled);
      filled += fits.byteLength;
      if (fits.byteLength === part.byteLength) used += 1;
      else this.#parts[used] = part.subarray(fits.byteLength);
    }
    this.#parts.splice(0, used);
    this.#have -= length;
    return taken;
  }
}

/** Reads an image from its begin to its end: yields how many bytes it needs next, and gets them. */
type Content<Value> = Generator<number, Value, Uint8Array>;

function* contentOf(entries: PackedEntries): Content<RestoredState> {
  checkStart(yield IMAGE_START.byteLength);
  const state = new ByteReader(yield* frame());
  const revision = state.u64();
  const count = state.u64();
  state.end();
  let last: Location | undefined;
  for (;;) {
    const body = yield* frame();
    if (body.byteLength === 0) break;
    const reader = new ByteReader(body);
    while (reader.left > 0) last = readEntry(reader, body, { entries, revision, last });
  }
  if (entries.size !== count)
    throw new MalformedBytes(`it has ${entries.size} entries, not the ${count} that it names`);
  return { revision, entries };
}

function* frame(): Content<Uint8Array> {
  const head = new ByteReader(yield FRAME_HEAD_BYTES);
  const length = head.u32();
  const checksum = head.u32();
  const body = length === 0 ? NO_BYTES : yield length;
  if (frameChecksum(body) === checksum) return body;
  throw new MalformedBytes(`the checksum of a frame of ${length} bytes is wrong`);
}

const NO_BYTES = new Uint8Array(0);

/** Returns where the entry is now. In an image each key is behind the one before. */
function readEntry(
  reader: ByteReader,
  bytes: Uint8Array,
  { entries, revision, last }: { entries: PackedEntries; revision: number; last?: Location | undefined },
): Location {
  const own = reader.u64();
  const run = reader.position;
  const key = run + LENGTH_BYTES;
  const keyEnd = key + reader.skipText(MOST_KEY_BYTES);
  reader.skip(reader.u32());
  if (own > revision) throw new MalformedBytes(`an entry has the revision ${own}, the store ${revision}`);
  if (last !== undefined) {
    if (entries.pages.compareKey(last, bytes, key, keyEnd) >= 0) throw new MalformedBytes('its keys are not in order');
    entries.seekEnd();
  } else if (entries.seek(bytes, key, keyEnd) !== undefined) throw new MalformedBytes('a key comes twice');
  return entries.put(bytes, run, reader.position, own);
}

const LENGTH_BYTES = 4;

function checkStart(start: Uint8Array): void {
  if (start.every((byte, at) => byte === IMAGE_START[at])) return;
  const isLater = start.subarray(1).every((byte, at) => byte === IMAGE_START[at + 1]);
  if (isLater) throw new MalformedBytes(`its format is ${start[0]}, which a later version of Quorate reads`);
  throw new MalformedBytes('it does not begin as one');
}

/** Its first piece is a revision, and each other one an entry, in any order. */
class FirstFormat implements Format {
  readonly #entries = new PackedEntries();
  #revision: number | undefined;

  write(piece: Uint8Array): void {
    const reader = new ByteReader(piece);
    if (this.#revision === undefined) this.#revision = reader.u64();
    else readEntry(reader, piece, { entries: this.#entries, revision: this.#revision });
    reader.end();
  }

  finish(): RestoredState {
    return { revision: this.#revision ?? 0, entries: this.#entries };
  }
}

const REVISION_BYTES = 8;

/** The framed format begins with a number that is larger than any revision. */
function isFirstFormat(piece: Uint8Array): boolean {
  return piece.byteLength === REVISION_BYTES && piece[REVISION_BYTES - 1] !== IMAGE_START[REVISION_BYTES - 1];
}
