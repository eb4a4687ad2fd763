import { QuorateError } from '../../errors/quorate-error.js';
import { ByteWriter, decodeText } from '../../wire/bytes.js';
import { FRAME_HEAD_BYTES, frameChecksum, IMAGE_START, STATE_BYTES } from './image-format.js';
import { locationsIn } from './ordered-index.js';
import type { CapturedEntries } from './packed-entries.js';

/** The content of a store when it was captured. */
export interface CapturedState extends CapturedEntries {
  readonly revision: number;
}

/** A frame has about so many bytes, unless one entry alone has more. */
const FRAME_BYTES = 256 * 1024;
const MOST_PIECE_BYTES = 1024 * 1024;

/** The image in pieces of no more than 1 MiB. Throws CLOSED where there is no state any more, because the capture was released. */
export function* imagePieces(captured: () => CapturedState | undefined): Iterable<Uint8Array> {
  for (const frame of imageFrames(held(captured))) {
    for (let at = 0; at < frame.byteLength; at += MOST_PIECE_BYTES) {
      yield frame.subarray(at, at + MOST_PIECE_BYTES);
      held(captured);
    }
  }
}

function held(captured: () => CapturedState | undefined): CapturedState {
  const state = captured();
  if (state !== undefined) return state;
  throw new QuorateError('QUORATE_CLOSED', 'expected a capture, got one that was released: read all its chunks before');
}

function* imageFrames({ revision, pages, tree }: CapturedState): Iterable<Uint8Array> {
  yield IMAGE_START.slice();
  const head = new Uint8Array(FRAME_HEAD_BYTES + STATE_BYTES);
  new ByteWriter(STATE_BYTES, head.subarray(FRAME_HEAD_BYTES)).u64(revision).u64(tree.size);
  yield closed(head);
  let frame = new Uint8Array(FRAME_BYTES);
  let end = FRAME_HEAD_BYTES;
  for (const location of locationsIn(tree, pages)) {
    if (!pages.isIntact(location, true)) throw changedInMemory(pages.key(location));
    const length = pages.imageLength(location);
    if (end + length > frame.byteLength) {
      if (end > FRAME_HEAD_BYTES) yield closed(frame.subarray(0, end));
      frame = new Uint8Array(Math.max(FRAME_BYTES, FRAME_HEAD_BYTES + length));
      end = FRAME_HEAD_BYTES;
    }
    end = pages.copyEntry(location, frame, end);
  }
  if (end > FRAME_HEAD_BYTES) yield closed(frame.subarray(0, end));
  yield closed(new Uint8Array(FRAME_HEAD_BYTES));
}

/** The bytes of an entry are not those that were written there: memory changed by itself, or something wrote where it must not. */
export function changedInMemory(key: Uint8Array): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_DAMAGED',
    `the key-value store's memory has changed by itself: the entry ${JSON.stringify(decodeText(key).slice(0, MOST_SHOWN))} does not read as it was written. ` +
      'Start this node again: it makes its state anew, of its snapshot and its log. If it happens again, test the memory of this machine',
  );
}

const MOST_SHOWN = 64;

/** Writes length and checksum in front of what is there. */
function closed(frame: Uint8Array<ArrayBuffer>): Uint8Array {
  const body = frame.subarray(FRAME_HEAD_BYTES);
  new ByteWriter(FRAME_HEAD_BYTES, frame).u32(body.byteLength).u32(frameChecksum(body));
  return frame;
}
