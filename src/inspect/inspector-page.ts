import type { IncomingMessage, ServerResponse } from 'node:http';
import { QuorateError } from '../errors/quorate-error.js';
import { checkCaller } from '../http/callers.js';
import { isAsset, sendAsset, sendPage } from '../http/pages.js';
import { sendError } from '../http/replies.js';
import { targetOf } from '../http/request-target.js';

const ASSETS = '/assets/';

/** Whether a path is the inspector's page, or belongs to it. `hasTop`: `/` is the page, too. */
export function isPage(path: string, hasTop: boolean): boolean {
  return (
    path === '/inspector' || (path.startsWith(ASSETS) && isAsset(path.slice(ASSETS.length))) || (hasTop && path === '/')
  );
}

/** Throws FORBIDDEN where a request comes under a foreign name, or from a page of elsewhere. */
export function checkViewer(request: IncomingMessage): void {
  // An inspector belongs to no cluster: it has no address but localhost's, and no members.
  checkCaller(request, { address: '', allowHosts: [], state: { role: '', peers: {} } });
}

/** Answers a request for the inspector's page, or with the reason why not. */
export function answerPage(request: IncomingMessage, response: ServerResponse): void {
  try {
    checkViewer(request);
    const { path } = targetOf(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      throw new QuorateError('QUORATE_BAD_REQUEST', `expected GET, got ${request.method}`);
    }
    if (path.startsWith(ASSETS)) sendAsset(path.slice(ASSETS.length), request, response);
    else if (isPage(path, true)) sendPage('inspector', { servedBy: 'inspector', others: [] }, request, response);
    else throw new QuorateError('QUORATE_NOT_FOUND', `there is nothing at ${path}: the inspector is at /`);
  } catch (error) {
    sendError(response, error);
  }
}
