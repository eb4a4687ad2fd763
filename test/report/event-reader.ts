import http from 'node:http';
import type { EventStream } from '../../src/report/node-report.js';
import { found } from '../waiting/conditions.js';

type Name = keyof EventStream;

/** Reads `GET /v1/events` of an address on a connection of its own. */
export class StreamReader {
  readonly #response: Promise<http.IncomingMessage>;
  readonly #request: http.ClientRequest;
  #text = '';
  #hasEnded = false;

  constructor(address: string, path = '/v1/events') {
    this.#request = http.get(`http://${address}${path}`, { agent: false });
    this.#response = new Promise((resolve, reject) => {
      this.#request.once('error', reject);
      this.#request.once('response', (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          this.#text += chunk;
        });
        response.once('close', () => {
          this.#hasEnded = true;
        });
        response.on('error', () => undefined);
        resolve(response);
      });
    });
  }

  get response(): Promise<http.IncomingMessage> {
    return this.#response;
  }

  get text(): string {
    return this.#text;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** All messages that came so far, in their order. */
  get messages(): readonly { readonly name: Name; readonly data: unknown }[] {
    return [...this.#text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, name, data]) => {
      return { name: name as Name, data: JSON.parse(data as string) };
    });
  }

  all<One extends Name>(name: One): readonly EventStream[One][] {
    return this.messages.filter((message) => message.name === name).map(({ data }) => data as EventStream[One]);
  }

  /** The first message of a name that fits, as soon as it has come. */
  async next<One extends Name>(
    name: One,
    fits: (data: EventStream[One]) => boolean = () => true,
  ): Promise<EventStream[One]> {
    return found(() => this.all(name).find(fits));
  }

  async pause(): Promise<void> {
    (await this.#response).pause();
  }

  close(): void {
    this.#request.destroy();
  }
}
