import { request as open } from 'node:http';
import { processNames } from '../dns/process-names.js';
import { eventFault, isEventName } from '../report/event-shape.js';
import type { EventStream } from '../report/node-report.js';
import { EVENTS_VERSION } from '../report/node-report.js';
import { reasonOf } from './exchange.js';

type Name = keyof EventStream;

export interface StreamEvents {
  message<One extends Name>(name: One, data: EventStream[One]): void;
  /** The stream is over, or could not be opened, so many times in a row; it is opened again by itself. */
  lost(reason: string, times: number): void;
}

const TRY_AGAIN_MS = 300;
/** A node says something at least once a second. */
const SILENT_MS = 2_500;
/** One message may be so long: a report of a cluster of many members takes a few thousand. */
const MOST_CHARACTERS = 1_000_000;
const PATH = '/v1/events';

/** One way to a node's events: the node at this address gives its own, or those of a member that it asks. */
export interface Way {
  /** host:port */
  readonly address: string;
  /** A member that the node at that address is to ask; undefined for its own events. */
  readonly member?: string | undefined;
}

/** The event stream of one node, opened again whenever it ends, until it is closed. */
export class NodeStream {
  readonly #wayOf: (attempt: number) => Way;
  readonly #events: StreamEvents;
  /** Attempts in a row that failed. */
  #attempt = 0;
  #request: ReturnType<typeof open> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `wayOf` is asked before each attempt, and told how many have failed since the stream was open last. */
  constructor(wayOf: (attempt: number) => Way, events: StreamEvents) {
    this.#wayOf = wayOf;
    this.#events = events;
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request?.destroy();
  }

  #open(): void {
    const { address, member } = this.#wayOf(this.#attempt);
    const { hostname, port } = new URL(`http://${address}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const path = member === undefined ? PATH : `${PATH}?node=${encodeURIComponent(member)}`;
    const request = open({ host, port: port || 80, path, agent: false, lookup: processNames.lookup });
    this.#request = request;
    let isOver = false;
    const end = (reason: string): void => {
      if (isOver || this.#isClosed) return;
      isOver = true;
      request.destroy();
      this.#attempt += 1;
      this.#events.lost(reason, this.#attempt);
      this.#timer = setTimeout(() => this.#open(), TRY_AGAIN_MS);
    };
    request.setTimeout(SILENT_MS, () => end('it says nothing'));
    request.on('error', (error) => end(reasonOf(error)));
    request.on('response', (response) => {
      if (response.statusCode !== 200) {
        response.resume();
        return end(`it answers HTTP ${response.statusCode} at ${PATH}`);
      }
      this.#attempt = 0;
      response.setEncoding('utf8');
      let rest = '';
      response.on('data', (chunk: string) => {
        const messages = `${rest}${chunk}`.split('\n\n');
        rest = messages.pop() ?? '';
        if (rest.length > MOST_CHARACTERS) return end('it sends what is none of these events');
        for (const message of messages) {
          const fault = this.#read(message);
          if (fault !== null) return end(fault);
        }
      });
      response.on('error', (error) => end(reasonOf(error)));
      response.on('close', () => end('the stream ended'));
    });
    request.end();
  }

  /** Takes a message. Returns why it cannot be taken, null where it was. */
  #read(text: string): string | null {
    const [, name, json] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
    // A later release may tell of more.
    if (name === undefined || json === undefined || !isEventName(name)) return null;
    const data = parsed(json);
    const fault = data === undefined ? 'it sends what is none of these events' : faultOf(name, data);
    if (fault === null) this.#events.message(name, data as never);
    return fault;
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json, (_, value) => (typeof value === 'string' ? printable(value) : value));
  } catch {
    return undefined;
  }
}

function faultOf(name: Name, data: unknown): string | null {
  const { version, release } = Object(data) as Partial<EventStream['hello']>;
  if (name === 'hello' && version !== EVENTS_VERSION) {
    const itsOwn = typeof release === 'string' ? ` of its release, ${release}` : '';
    return `it speaks version ${version ?? 'unknown'} of these events, and this program version ${EVENTS_VERSION}: use the quorate${itsOwn}`;
  }
  const fault = eventFault(name, data);
  return fault === null ? null : `it sends what is no ${name} of version ${EVENTS_VERSION} (${fault})`;
}

/** Text from the network goes to a terminal: no character of it may control the terminal, or begin a line of its own. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, ' ');
