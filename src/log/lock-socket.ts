import fs from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import type { Clock } from '../seams/clock.js';
import type { DiskError } from '../seams/disk.js';

/** How a lock's holder looks from its socket. */
export type Probe =
  /** Alive, and holder of the lock with this nonce. */
  | { readonly kind: 'answered'; readonly nonce: string }
  /** Alive: its kernel took the connection, but the process does not answer. It may be stopped. */
  | { readonly kind: 'silent' }
  /** Nobody listens there any more, as far as this kernel knows. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' };

const SOCKET_NAME = 'socket';
/** The address of a Unix socket has at most 108 bytes on Linux and 104 on macOS, with a zero at its end. */
const MOST_ADDRESS_BYTES = 103;
const ANSWER_MS = 1_000;

/** Answers whoever connects with a lock's nonce. */
export interface LockSocket {
  close(): void;
}

/** Undefined where the directory's file system or the system has no sockets: the lock then goes by its beats alone. */
export function answerAt(directory: string, nonce: string): Promise<LockSocket | undefined> {
  const address = addressIn(directory);
  if (address === undefined) return Promise.resolve(undefined);
  const server = createServer((connection) => {
    connection.on('error', () => connection.destroy());
    connection.end(`${nonce}\n`, () => connection.destroy());
  });
  server.unref();
  return new Promise((resolve) => {
    let isListening = false;
    server.on('error', () => {
      if (isListening) return;
      address.release();
      resolve(undefined);
    });
    // Exclusive: a worker of `node:cluster` listens itself, or its socket would outlive it.
    server.listen({ path: address.path, exclusive: true }, () => {
      isListening = true;
      resolve({ close: () => void server.close(() => address.release()) });
    });
  });
}

/** Whether somebody listens at a lock's socket. */
export function probe(directory: string, clock: Clock): Promise<Probe> {
  const address = addressIn(directory);
  if (address === undefined) return Promise.resolve({ kind: 'unknown' });
  return new Promise((resolve) => {
    let said = '';
    let isConnected = false;
    const connection = connect({ path: address.path });
    let isOver = false;
    const finish = (found: Probe): void => {
      if (isOver) return;
      isOver = true;
      clock.clearTimeout(deadline);
      connection.destroy();
      address.release();
      resolve(found);
    };
    const giveUp = (): void => finish({ kind: isConnected ? 'silent' : 'unknown' });
    // After a pause of this process the timer runs before what has arrived is read.
    const deadline = clock.setTimeout(() => clock.defer(giveUp), ANSWER_MS);
    connection.setEncoding('utf8');
    connection.on('connect', () => {
      isConnected = true;
    });
    connection.on('data', (text: string) => {
      said += text;
    });
    connection.on('end', () =>
      finish(said.endsWith('\n') ? { kind: 'answered', nonce: said.trim() } : { kind: 'silent' }),
    );
    connection.on('error', (error: DiskError) => finish(isConnected ? { kind: 'silent' } : meaningOf(error.code)));
  });
}

function meaningOf(code: string | undefined): Probe {
  if (code === 'ECONNREFUSED') return { kind: 'refused' };
  // The queue of connections that wait to be accepted is full.
  if (code === 'EAGAIN') return { kind: 'silent' };
  return { kind: 'unknown' };
}

interface SocketAddress {
  readonly path: string;
  /** Only when the socket is closed: it is removed by this address then. */
  release(): void;
}

/** Undefined where the path is too long for a socket's address, and the system has no shorter name for the directory. */
function addressIn(directory: string): SocketAddress | undefined {
  if (process.platform === 'win32') return undefined;
  const whole = path.join(directory, SOCKET_NAME);
  if (Buffer.byteLength(whole) <= MOST_ADDRESS_BYTES) return { path: whole, release: () => undefined };
  if (process.platform !== 'linux') return undefined;
  try {
    const descriptor = fs.openSync(directory, 'r');
    return { path: `/proc/self/fd/${descriptor}/${SOCKET_NAME}`, release: () => fs.closeSync(descriptor) };
  } catch {
    return undefined;
  }
}
