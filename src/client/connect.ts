import { checkCallOptions, checkTimeout, DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/call-options.js';
import { badRequest } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { AnyService } from '../seams/service.js';
import type { CallOptions } from './call.js';
import type { DispatcherOptions } from './dispatcher.js';
import { addressOf, DEFAULT_ENDPOINTS } from './endpoint.js';
import { ServiceClient } from './service-client.js';

/** The options of `connect`. */
export type ConnectOptions = CallOptions;

/** With the service of a state machine of your own, as `defineService` makes it. */
export interface ServiceConnectOptions<Of extends AnyService> extends ConnectOptions {
  readonly service: Of;
}

/** The client of a service, where it has no other. Throws BAD_REQUEST for what is no service. */
export function clientOf<Of extends AnyService>(
  service: Of,
): (options: Omit<DispatcherOptions, 'service'>) => ServiceClient<Of> {
  const { name, command, result, queries } = Object(service) as Partial<AnyService>;
  const isService = typeof name === 'string' && [command, result, queries].every((part) => typeof part === 'object');
  if (!isService) throw badRequest(`expected service to be what defineService() has made, got ${shown(service)}`);
  return (options) => new ServiceClient(service, options);
}

/**
 * Resolves to a client once one of the nodes has answered. Endpoints are host:port or http://host:port; without any, those of a
 * local cluster, ports 7401 to 7403. Nodes that are not named are learned from the one that answers. Rejects with BAD_REQUEST, ABORTED, or NO_LEADER where no node answers in time.
 */
export async function connectWith<Client extends ServiceClient<AnyService>>(
  { platform, client: make, dialsOnce = false }: ConnectNeeds<Client>,
  endpoints: readonly string[] = DEFAULT_ENDPOINTS,
  options: ConnectOptions = {},
): Promise<Client> {
  checkCallOptions(options, ['timeoutMs', 'signal', 'service']);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  checkTimeout(timeoutMs, MOST_TIMEOUT_MS);
  const client = make({ endpoints: checked(endpoints), platform });
  try {
    await client.ready({ timeoutMs, signal, dialsOnce });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

export interface ConnectNeeds<Client> {
  readonly platform: DispatcherOptions['platform'];
  readonly client: (options: Omit<DispatcherOptions, 'service'>) => Client;
  /** Whether to give up once every endpoint was dialed in vain. Default: dials again until the time is over. */
  readonly dialsOnce?: boolean;
}

function checked(endpoints: readonly string[]): readonly string[] {
  if (Array.isArray(endpoints) && endpoints.length > 0) return endpoints.map(addressOf);
  throw badRequest(
    `expected endpoints to be an array of host:port, as in ['127.0.0.1:7401'], or to be left out, got ${JSON.stringify(endpoints)}`,
  );
}
