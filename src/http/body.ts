import type { IncomingMessage } from 'node:http';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { HttpRequest } from './exchange.js';
import type { ReceivedBodies } from './received-bodies.js';
import { receivedBodies } from './received-bodies.js';
import { RefusedRequest } from './replies.js';

/** Most bytes that are still read of a body that is too large; a client that sends more is cut off. */
const MOST_UNWANTED_BYTES = 256 * 1024 * 1024;

/**
 * The whole body, or TOO_LARGE once it is clear that it is, or OVERLOADED where too much of others has come; where its length was said before,
 * none of it is asked for. A body that is refused is read to its end all the same: closing a connection while its other end sends would reset
 * it, and the answer could be lost with it.
 */
export function readBody(
  { exchange, message, response, mostBodyBytes, mustAskForBody }: HttpRequest,
  received: ReceivedBodies = receivedBodies,
): Promise<Uint8Array> {
  const saidBytes = Number(message.headers['content-length'] ?? 0);
  const refuse = (error: QuorateError): QuorateError => {
    discard(message);
    return error;
  };
  const tooLarge = (got: string): QuorateError =>
    new QuorateError(
      'QUORATE_TOO_LARGE',
      `expected a body of at most ${mostBodyBytes} bytes, got ${got}: split it; nothing was done`,
    );
  if (saidBytes > mostBodyBytes) return Promise.reject(refuse(tooLarge(String(saidBytes))));
  if (message.readableEnded) return Promise.reject(readBefore());
  if (received.isFullFor(0)) return Promise.reject(refuse(received.refusal()));
  if (mustAskForBody && message.headers.expect !== undefined) response.writeContinue();
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let bytes = 0;
    let counted = 0;
    let isOver = false;
    const end = (then: () => void): void => {
      if (isOver) return;
      isOver = true;
      message.off('data', take);
      received.give(counted);
      then();
      chunks = [];
    };
    const fail = (error: Error): void => end(() => reject(error));
    const take = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      counted += received.take(chunk);
      chunks.push(chunk);
      if (bytes > mostBodyBytes) fail(refuse(tooLarge('more')));
      else if (received.isFullFor(counted)) fail(refuse(received.refusal()));
    };
    message.on('data', take);
    message.on('end', () =>
      end(() => {
        const whole = Buffer.concat(chunks, bytes);
        resolve(new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength));
      }),
    );
    message.on('error', fail);
    exchange.onFlaw(fail);
    message.on('close', () =>
      fail(
        badRequest('expected the whole body, got a connection that ended before it: nothing was done, send it again'),
      ),
    );
  });
}

/** Its body was read by somebody else, and `end` will not come again. */
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

const WITH_BODY = ['PUT', 'POST'];

/**
 * Refuses a request whose body cannot be read for sure, before any of it is read: where it ends must be known (RFC 9112,
 * section 6). A body in chunks says where it ends, so it needs no Content-Length. A body that says it is a part
 * (Content-Range) must not be stored as the whole (RFC 9110, section 14.5). The connection ends with such an answer:
 * what comes next on it may be a body that would be taken for a request.
 */
export function checkFraming(request: HttpRequest): void {
  const refusal = refusalOf(request);
  if (refusal === undefined) return;
  request.response.setHeader('Connection', 'close');
  throw refusal;
}

function refusalOf({ method, message }: HttpRequest): RefusedRequest | undefined {
  const { headers, httpVersion } = message;
  const { expect } = headers;
  const coding = headers['transfer-encoding'];
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return new RefusedRequest(417, `expected no Expect but 100-continue, got "${expect}": leave it out`);
  if (coding !== undefined && httpVersion === '1.0')
    return new RefusedRequest(400, 'expected a Content-Length, got Transfer-Encoding, which HTTP/1.0 does not have');
  if (coding !== undefined && !/(^|,)\s*chunked$/i.test(coding))
    return new RefusedRequest(
      400,
      `expected Transfer-Encoding to end with chunked, got "${coding}": nothing says where it ends`,
    );
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return new RefusedRequest(
      501,
      `expected Transfer-Encoding to be chunked, got "${coding}": send the bytes as they are`,
    );
  if (WITH_BODY.includes(method) && headers['content-range'] !== undefined)
    return new RefusedRequest(
      400,
      `expected a ${method} with all of its body, got a part of it (Content-Range: ${headers['content-range']}): send the whole and leave the header out; nothing was done`,
    );
  if (WITH_BODY.includes(method) && coding === undefined && headers['content-length'] === undefined)
    return new RefusedRequest(
      411,
      `expected a ${method} to say how long its body is, got neither Content-Length nor Transfer-Encoding: chunked; nothing was done. An empty body is Content-Length: 0, as curl -d '' sends it`,
    );
  return undefined;
}
