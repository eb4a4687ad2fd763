import { RefusedRequest } from './refused-request.js';
import type { HttpRequest } from './request.js';

const WITH_BODY = ['PUT', 'POST'];

/**
 * Refuses a request whose body cannot be read for sure, before any of it is read: where it ends must be known (RFC 9112,
 * section 6). A body in chunks says where it ends, so it needs no Content-Length. The connection ends with such an answer:
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
  if (WITH_BODY.includes(method) && coding === undefined && headers['content-length'] === undefined)
    return new RefusedRequest(
      411,
      `expected a ${method} to say how long its body is, got neither Content-Length nor Transfer-Encoding: chunked; nothing was done`,
    );
  return undefined;
}
