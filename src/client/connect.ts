import { checkCallOptions } from '../calls/call-options.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/timeout.js';
import { badRequest } from '../errors/quorate-error.js';
import type { CallOptions } from './call.js';
import { QuorateClient } from './client.js';
import { addressOf, DEFAULT_ENDPOINTS } from './endpoint.js';
import type { Platform } from './platform.js';

/** What `connect` is made of, beside where it runs. */
export type ConnectOptions = CallOptions;

/**
 * Resolves to a client once one of the nodes has answered. Endpoints are host:port or http://host:port; without any, those of a
 * local cluster, ports 7401 to 7403. Nodes that are not named are learned from the one that answers. Rejects with BAD_REQUEST, ABORTED, or NO_LEADER where no node answers in time.
 */
export async function connectOn(
  platform: Platform,
  endpoints: readonly string[] = DEFAULT_ENDPOINTS,
  options: ConnectOptions = {},
): Promise<QuorateClient> {
  checkCallOptions(options, ['timeoutMs', 'signal']);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  checkTimeout(timeoutMs, MOST_TIMEOUT_MS);
  const client = new QuorateClient({ endpoints: checked(endpoints), platform });
  try {
    await client.ready(timeoutMs, signal);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

function checked(endpoints: readonly string[]): readonly string[] {
  if (Array.isArray(endpoints) && endpoints.length > 0) return endpoints.map(addressOf);
  throw badRequest(
    `expected endpoints to be an array of host:port, as in ['127.0.0.1:7401'], or to be left out, got ${JSON.stringify(endpoints)}`,
  );
}
