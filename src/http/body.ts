import type { IncomingMessage } from 'node:http';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { HttpRequest } from './request.js';

/** Of a body that is too large so much is still read: whoever sends more is cut off. */
const MOST_UNWANTED_BYTES = 256 * 1024 * 1024;

/**
 * The whole body, or TOO_LARGE once it is clear that it is; where its length was said before, none of it is asked for. A
 * body that is refused is read to its end all the same: closing a connection while its other end sends would reset it,
 * and the answer could be lost with it.
 */
export function readBody({
  exchange,
  message,
  response,
  mostBodyBytes,
  mustAskForBody,
}: HttpRequest): Promise<Uint8Array> {
  const saidBytes = Number(message.headers['content-length'] ?? 0);
  const tooLarge = (): QuorateError => {
    discard(message);
    return new QuorateError('QUORATE_TOO_LARGE', `a value has at most ${mostBodyBytes} bytes`);
  };
  if (saidBytes > mostBodyBytes) return Promise.reject(tooLarge());
  if (message.readableEnded) return Promise.reject(readBefore());
  if (mustAskForBody && message.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      chunks.push(chunk);
      if (bytes <= mostBodyBytes) return;
      message.off('data', take);
      chunks = [];
      reject(tooLarge());
    };
    message.on('data', take);
    message.on('end', () => {
      const whole = Buffer.concat(chunks, bytes);
      resolve(new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength));
    });
    message.on('error', reject);
    exchange.onFlaw(reject);
    message.on('close', () => {
      if (!message.complete) reject(badRequest('the body was not sent to its end'));
    });
  });
}

/** Nothing was done, and this request never can be: it never ends again for another reader. */
function readBefore(): QuorateError {
  return new QuorateError(
    'QUORATE_CONFIG_INVALID',
    'expected a request whose body nobody has read yet: mount the handler of Quorate before body parsers such as express.json()',
  );
}

function discard(message: IncomingMessage): void {
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > MOST_UNWANTED_BYTES) message.socket.destroy();
  });
}
