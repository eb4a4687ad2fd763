import type { ClientSocket } from '../../src/client/platform.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import type { ClientFrame, ClientReply } from '../../src/wire/client-frames.js';
import { decodeClientFrame, encodeNodeFrame } from '../../src/wire/client-frames.js';

/** A connection's other end, played by the test. */
export class PlayedSocket implements ClientSocket {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  bufferedAmount = 0;
  bytesRead = 0;
  isTerminated = false;
  readonly frames: ClientFrame[] = [];

  send(bytes: Uint8Array): void {
    this.frames.push(decodeClientFrame(bytes));
  }

  close(): void {
    // A node that hangs never says goodbye.
  }

  terminate(): void {
    this.isTerminated = true;
  }

  get asked(): readonly { readonly id: number; readonly name: string }[] {
    return this.frames.flatMap((frame) =>
      frame.kind === 'requests' ? frame.requests.map(({ id, payload }) => ({ id, name: nameOf(payload) })) : [],
    );
  }

  get names(): readonly string[] {
    return this.asked.map(({ name }) => name);
  }

  /** `addresses`: of the members, by id. */
  tell(term: number, leaderId: string | null, addresses: Readonly<Record<string, string>> = { a: 'a', b: 'b' }): void {
    const members = Object.entries(addresses).map(([id, address]) => ({ id, address }));
    this.#say(encodeNodeFrame({ kind: 'leader', news: { term: asTerm(term), leaderId, members } }));
  }

  reply(...replies: ClientReply[]): void {
    this.#say(encodeNodeFrame({ kind: 'replies', replies }));
  }

  #say(bytes: Uint8Array): void {
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  }
}

const nameOf = (payload: Uint8Array): string => new TextDecoder().decode(payload.subarray(0, 20)).trim();
