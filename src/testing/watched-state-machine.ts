import { decodeToApply } from '../../actors/applying.js';
import { shown } from '../errors/shown.js';
import type { Index, NodeId, Term } from '../raft/numbers-and-ids.js';
import { asIndex, NO_INDEX } from '../raft/numbers-and-ids.js';
import type {
  AnyStateMachine,
  Capture,
  Codec,
  CommandOf,
  Committed,
  Restore,
  ResultOf,
  StateMachine,
} from '../seams/state-machine.js';
import { invalid } from './simulation-options.js';

/** A result, with the log index of the command that it came of. */
export interface Indexed<Result> {
  readonly index: Index;
  readonly result: Result;
}

/** One command as a replica's state machine gets it, and what it made of it. Bytes are told as text, to be compared. */
export interface AppliedCommand {
  readonly index: Index;
  readonly term: Term;
  readonly command: string;
}

export interface Watcher {
  /** A command is about to be applied. */
  readonly applies: (applied: AppliedCommand) => void;
  /** A command was applied. */
  readonly applied: (index: Index, result: string) => void;
}

/**
 * A user's state machine as a simulated replica runs it: what it applies is shown to the checkers, its results carry their
 * log index, and what can't run on virtual time is refused.
 */
export class WatchedStateMachine<Machine extends AnyStateMachine>
  implements StateMachine<CommandOf<Machine>, Indexed<ResultOf<Machine>>>
{
  readonly machine: Machine;
  /** The commands that were applied in this life of the replica, in order. */
  readonly commands: CommandOf<Machine>[] = [];
  readonly codec: Codec<CommandOf<Machine>>;
  readonly resultCodec: Codec<Indexed<ResultOf<Machine>>>;
  readonly capture?: () => Capture;
  readonly restore?: () => Restore;
  readonly hash?: () => Uint8Array;
  /** The index that the machine had applied when it was opened: more than 0 only where it keeps its state itself. */
  openedAt: Index = NO_INDEX;
  /** The newest command that was applied, in this life or before. */
  lastIndex: Index = NO_INDEX;
  /** Bytes of the commands that were decoded to be applied and are not applied yet, in order. */
  #decoded: Uint8Array[] = [];
  readonly #watcher: Watcher;

  constructor(machine: Machine, watcher: Watcher) {
    this.machine = machine;
    this.#watcher = watcher;
    this.codec = {
      encode: (command) => machine.codec.encode(command),
      decode: (bytes) => machine.codec.decode(bytes),
    };
    this.resultCodec = withIndex(machine.resultCodec);
    const { capture, restore, hash } = machine as AnyStateMachine;
    if (hash !== undefined) this.hash = hash.bind(machine);
    if (capture === undefined || restore === undefined) return;
    this.capture = () => this.#captureBy(capture.bind(machine));
    this.restore = () => this.#restoreBy(restore.bind(machine));
  }

  /** Decodes commands the way a node does before it applies them. */
  decodeInPlace(bytes: Uint8Array): CommandOf<Machine> {
    const command = decodeToApply(this.machine, bytes) as CommandOf<Machine>;
    this.#decoded.push(bytes);
    return command;
  }

  open(): Index {
    this.openedAt = atOnce('open', this.machine.open?.() ?? NO_INDEX);
    this.lastIndex = this.openedAt;
    return this.openedAt;
  }

  apply(batch: readonly Committed<CommandOf<Machine>>[]): readonly Indexed<ResultOf<Machine>>[] {
    const decoded = this.#decoded;
    this.#decoded = [];
    batch.forEach(({ index, term, command }, at) => {
      const bytes = decoded[at] as Uint8Array;
      this.#watcher.applies({ index, term, command: asText(bytes) });
      // One that was decoded in place is true only until it is applied.
      this.commands.push(this.machine.decodeInPlace === undefined ? command : this.machine.codec.decode(bytes));
    });
    const results: readonly ResultOf<Machine>[] = atOnce('apply', this.machine.apply(batch));
    this.lastIndex = batch.at(-1)?.index ?? this.lastIndex;
    return results.map((result, at) => {
      const index = batch[at]?.index ?? NO_INDEX;
      this.#watcher.applied(index, asText(encodeWith('resultCodec', this.machine.resultCodec, result)));
      return { index, result };
    });
  }

  /** Captures the machine's image behind the index that it is of: a restored replica has applied as much. */
  #captureBy(capture: () => Capture): Capture {
    const captured = capture();
    const head = indexBytes(this.lastIndex);
    return {
      *chunks() {
        yield head;
        yield* captured.chunks();
      },
      release: () => captured.release(),
    };
  }

  #restoreBy(restore: () => Restore): Restore {
    const restoring = restore();
    let index: Index | undefined;
    return {
      write: (chunk) => {
        if (index !== undefined) return restoring.write(chunk);
        index = indexIn(chunk);
      },
      finish: () => {
        restoring.finish();
        this.#restored(index ?? NO_INDEX);
      },
      abort: () => restoring.abort(),
    };
  }

  #restored(index: Index): void {
    this.openedAt = index;
    this.lastIndex = index;
    this.commands.length = 0;
    this.#decoded = [];
  }

  /** The machine's own hash as text; undefined where it has none. */
  hashText(): string | undefined {
    const hash: unknown = this.machine.hash?.();
    if (hash === undefined) return undefined;
    if (hash instanceof Uint8Array) return asText(hash);
    throw invalid(`expected the state machine's hash to return a Uint8Array, got ${shown(hash)}`);
  }
}

/** Makes a state machine by the user's function, for one start of one replica; each start must get one of its own. */
export function makeStateMachine<Machine extends AnyStateMachine>(
  make: (id: NodeId) => Machine,
  id: NodeId,
  used: WeakSet<object>,
): Machine {
  const machine: Machine = make(id);
  const { codec, resultCodec, apply } = Object(machine) as Partial<AnyStateMachine>;
  const hasCodecs = [codec, resultCodec].every((one) => {
    return typeof one?.encode === 'function' && typeof one.decode === 'function';
  });
  if (typeof apply !== 'function' || !hasCodecs) {
    throw invalid(
      `expected stateMachine to return a state machine with codec, resultCodec and apply, got ${shown(machine)}`,
    );
  }
  if (used.has(machine) && machine.open === undefined) {
    throw invalid(
      'expected stateMachine to return a new state machine at each call, got one that it had returned before: ' +
        'a restarted replica applies its log from the start, so write () => new YourStateMachine()',
    );
  }
  used.add(machine);
  return machine;
}

/** Bytes as text of one character each: equal for equal bytes. */
export function asText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES)));
  return pieces.join('');
}

/** As many as a call can have arguments for certain. */
const PIECE_BYTES = 4_096;

const INDEX_BYTES = 8;

function indexBytes(index: Index): Uint8Array {
  const bytes = new Uint8Array(INDEX_BYTES);
  new DataView(bytes.buffer).setFloat64(0, index);
  return bytes;
}

const indexIn = (bytes: Uint8Array): Index =>
  asIndex(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0));

function withIndex<Result>(codec: Codec<Result>): Codec<Indexed<Result>> {
  return {
    encode: ({ index, result }) => {
      const encoded = encodeWith('resultCodec', codec, result);
      const bytes = new Uint8Array(INDEX_BYTES + encoded.byteLength);
      new DataView(bytes.buffer).setFloat64(0, index);
      bytes.set(encoded, INDEX_BYTES);
      return bytes;
    },
    decode: (bytes) => {
      const index = asIndex(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat64(0));
      return { index, result: codec.decode(bytes.subarray(INDEX_BYTES)) };
    },
  };
}

function encodeWith<Value>(name: string, codec: Codec<Value>, value: Value): Uint8Array {
  const bytes: unknown = codec.encode(value);
  if (bytes instanceof Uint8Array) return bytes;
  throw invalid(`expected the state machine's ${name}.encode to return a Uint8Array, got ${shown(bytes)}`);
}

/** A promise resolves or rejects on the real event loop, which virtual time does not wait for. */
function atOnce<Value>(name: string, value: Value | Promise<Value>): Value {
  if (typeof (value as { then?: unknown } | undefined)?.then !== 'function') return value as Value;
  throw invalid(
    `expected ${name} of a simulated state machine to return its result, got a promise: virtual time can't wait for it`,
  );
}
