import type { RawData, WebSocket } from 'ws';
import { checkTimeout, MOST_TIMEOUT_MS } from '../calls/call-options.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import { MalformedBytes } from '../wire/bytes.js';
import type { ClientReply, ClientRequest } from '../wire/client-frames.js';
import { CLIENT_PROTOCOL, DEFAULT_SERVICE, decodeClientFrame, encodeNodeFrame } from '../wire/client-frames.js';
import { decodeQuestion } from '../wire/question.js';
import { ReadPauses } from './read-pauses.js';
import type { TogetherRead } from './reads-together.js';
import { ReadsTogether } from './reads-together.js';
import type { ServedNode } from './served-node.js';
import { refusal, ServiceCalls } from './service-calls.js';

export interface ClientSessionOptions {
  readonly socket: WebSocket;
  readonly node: ServedNode;
  readonly clock: Clock;
}

/** Most bytes of one frame beside one value of the largest size. */
export const MOST_FRAME_BYTES = 2 * 1024 * 1024;
/** Replies are sent in frames of about this size. */
const REPLY_FRAME_BYTES = 1024 * 1024;
/** More than this unsent, and nothing further is read from a client that reads no answers. */
const MOST_UNSENT_BYTES = 4 * 1024 * 1024;
/** Unsent bytes above which answers to earlier reads wait. */
const MOST_UNSENT_ANSWERS_BYTES = 16 * 1024 * 1024;
const MOST_WAITING = 16_384;
/** After so many nothing further is read in this turn of the event loop: heartbeats have their turn, too. */
const RESTS_AFTER = 1_024;
const MALFORMED = 4_001;
const POLL_MS = 20;

/** One client's connection: its requests, and in one frame the replies that are known at the same time. */
export class ClientSession {
  /** Once the client has said hello. */
  readonly greeted: Promise<void>;
  readonly #options: ClientSessionOptions;
  #noteGreeting: () => void = () => undefined;
  /** The calls that the client may make, or why it may make none. Undefined until it has said hello. */
  #calls: ServiceCalls | QuorateError | undefined;
  #isOver = false;
  readonly #isGone = (): boolean => this.#isOver;
  #waiting = 0;
  #asked = 0;
  #replies: ClientReply[] = [];
  #replyBytes = 0;
  #flushIsDue = false;
  /** In this turn of the event loop. */
  #taken = 0;
  readonly #rests: ReadPauses;
  /** Questions whose answers wait for room; those before `#answered` are done. */
  #toAnswer: { readonly id: number; readonly answer: () => Uint8Array }[] = [];
  #answered = 0;

  constructor(options: ClientSessionOptions) {
    const { socket } = options;
    this.#options = options;
    this.#rests = new ReadPauses(socket);
    this.greeted = new Promise((resolve) => {
      this.#noteGreeting = resolve;
    });
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
  }

  /** How many frames of requests have come. */
  get asked(): number {
    return this.#asked;
  }

  /** Whether the client waits for nothing. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isOver) return;
    try {
      if (!isBinary) throw new MalformedBytes('a text frame');
      const frame = decodeClientFrame(data as Buffer);
      if (frame.kind === 'hello') this.#greet(frame.service ?? DEFAULT_SERVICE);
      else if (this.#calls !== undefined) this.#take(frame.requests, this.#calls);
      else throw new MalformedBytes('no hello before the first request');
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#isOver = true;
      this.#options.socket.close(MALFORMED, error.message.slice(0, 120));
      this.#options.clock.setTimeout(() => this.#options.socket.terminate(), 500);
    }
  }

  #greet(service: string): void {
    const { socket, node } = this.#options;
    if (this.#calls !== undefined) throw new MalformedBytes('a second hello');
    this.#calls = callsOf(node, service);
    this.#noteGreeting();
    const stop = node.watchLeader((news) => this.#send(encodeNodeFrame({ kind: 'leader', news })));
    socket.once('close', () => {
      this.#isOver = true;
      this.#replies = [];
      this.#toAnswer = [];
      stop();
    });
  }

  #take(requests: readonly ClientRequest[], calls: ServiceCalls | QuorateError): void {
    this.#asked += 1;
    this.#restAfter(requests.length);
    const reads = new ReadsTogether();
    for (const request of requests) {
      const { id, operation, payload } = request;
      try {
        this.#admit();
        const { timeoutMs } = request;
        checkTimeout(timeoutMs, MOST_TIMEOUT_MS);
        if (calls instanceof QuorateError) throw calls;
        if (operation === 'propose') this.#propose(calls, { id, payload, timeoutMs });
        else {
          const { name, consistency, input } = decodeQuestion(operation, payload);
          reads.add({ id, answer: calls.question(name, input) }, timeoutMs, consistency);
        }
      } catch (error) {
        this.#fail(id, asError(error));
      }
    }
    for (const together of reads) this.#read(together);
  }

  #restAfter(count: number): void {
    if (this.#taken === 0)
      this.#options.clock.defer(() => {
        this.#taken = 0;
        this.#rests.end('turn');
      });
    // A frame counts even if nothing is in it.
    this.#taken += Math.max(1, count);
    if (this.#taken >= RESTS_AFTER) this.#rests.begin('turn');
  }

  #propose(calls: ServiceCalls, { id, payload, timeoutMs }: Omit<ClientRequest, 'operation'>): void {
    calls.checkCommand(payload);
    this.#options.node.submit(payload, {
      timeoutMs,
      signal: undefined,
      isGone: this.#isGone,
      done: (error, result) => {
        if (error === undefined) this.#reply(calls.replyWith(id, result));
        else this.#fail(id, error);
      },
    });
  }

  #read({ reads, timeoutMs, consistency }: TogetherRead): void {
    const { node } = this.#options;
    if (consistency === 'stale') for (const _ of reads) node.reports.countStaleRead();
    node.ask({
      timeoutMs,
      consistency,
      signal: undefined,
      count: reads.length,
      done: (error) => {
        for (const { id, answer } of reads) {
          if (error !== undefined) this.#fail(id, error);
          else this.#answer(id, answer);
        }
      },
    });
  }

  #admit(): void {
    this.#waiting += 1;
    if (this.#waiting > MOST_WAITING)
      throw new QuorateError(
        'QUORATE_OVERLOADED',
        `${MOST_WAITING} requests wait on this connection: await some first`,
      );
  }

  #answer(id: number, answer: () => Uint8Array): void {
    // Nothing is read for who hung up.
    if (this.#isOver) return;
    this.#toAnswer.push({ id, answer });
    this.#answerWhatFits();
  }

  /** An answer is read when it can be sent; none is kept in memory for a client that does not read what it asked for. */
  #answerWhatFits(): void {
    const { socket } = this.#options;
    while (this.#replyBytes + socket.bufferedAmount <= MOST_UNSENT_ANSWERS_BYTES) {
      const next = this.#toAnswer[this.#answered];
      if (next === undefined) break;
      this.#answered += 1;
      try {
        this.#reply(this.#replyTo(next));
      } catch (error) {
        this.#fail(next.id, asError(error));
      }
    }
    if (this.#answered < this.#toAnswer.length) return this.#restUntilRead();
    this.#toAnswer = [];
    this.#answered = 0;
  }

  #replyTo({ id, answer }: { readonly id: number; readonly answer: () => Uint8Array }): ClientReply {
    const { socket, node } = this.#options;
    const payload = answer();
    return socket.protocol === CLIENT_PROTOCOL ? { id, payload, index: node.state.lastApplied } : { id, payload };
  }

  #fail(id: number, error: QuorateError): void {
    this.#reply(refusal(id, error));
  }

  #reply(reply: ClientReply): void {
    this.#waiting -= 1;
    if (this.#isOver) return;
    this.#replies.push(reply);
    this.#replyBytes += 'payload' in reply ? reply.payload.byteLength : 0;
    if (this.#replyBytes >= REPLY_FRAME_BYTES) return this.#flush();
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    // Commands that were applied together are answered together, in this turn of the event loop: the next one would come later.
    queueMicrotask(() => {
      this.#flushIsDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const replies = this.#replies;
    if (replies.length === 0 || this.#isOver) return;
    this.#replies = [];
    this.#replyBytes = 0;
    this.#send(encodeNodeFrame({ kind: 'replies', replies }));
    if (this.#options.socket.bufferedAmount > MOST_UNSENT_BYTES) this.#restUntilRead();
  }

  #send(bytes: Uint8Array): void {
    this.#options.socket.send(bytes, { binary: true });
  }

  /** A client that reads no answers is asked nothing further until it does. */
  #restUntilRead(): void {
    const { socket, clock } = this.#options;
    if (this.#isOver || this.#rests.has('unread')) return;
    this.#rests.begin('unread');
    const look = (): void => {
      if (this.#isOver) return this.#rests.end('unread');
      const hasRoom = socket.bufferedAmount <= MOST_UNSENT_BYTES;
      if (hasRoom) this.#answerWhatFits();
      if (hasRoom && this.#toAnswer.length === 0) this.#rests.end('unread');
      else clock.setTimeout(look, POLL_MS);
    };
    clock.setTimeout(look, POLL_MS);
  }
}

/** The calls for a client that expects the service `meant` at this node, or why it may make none. */
function callsOf(node: ServedNode, meant: string): ServiceCalls | QuorateError {
  try {
    return new ServiceCalls(node, meant);
  } catch (error) {
    return asError(error);
  }
}

function asError(error: unknown): QuorateError {
  if (error instanceof QuorateError) return error;
  if (error instanceof MalformedBytes) return badRequest(error.message);
  throw error;
}
