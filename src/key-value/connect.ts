import type { ConnectOptions, ServiceConnectOptions } from '../client/connect.js';
import { clientOf, connectWith } from '../client/connect.js';
import type { Platform } from '../client/platform.js';
import type { ServiceClient } from '../client/service-client.js';
import type { AnyService } from '../seams/service.js';
import { KeyValueClient } from './client.js';

/** `connect` of quorate/client. */
export interface Connect {
  /**
   * Connects to a cluster whose nodes have this service. Resolves once one of the nodes has answered; rejects with BAD_REQUEST,
   * ABORTED, or NO_LEADER where no node answers within `timeoutMs` (5,000).
   */
  <Of extends AnyService>(
    endpoints: readonly string[] | undefined,
    options: ServiceConnectOptions<Of>,
  ): Promise<ServiceClient<Of>>;
  /**
   * Connects to a cluster's key-value store: `const db = await connect();`. Endpoints are host:port or http://host:port; without
   * any, those of a local cluster, ports 7401 to 7403. Nodes that are not named are learned from the one that answers.
   */
  (endpoints?: readonly string[], options?: ConnectOptions): Promise<KeyValueClient>;
}

/** `connect` for a place that programs run in. */
export function createConnect(platform: () => Platform): Connect {
  const connect = async (
    endpoints?: readonly string[],
    options?: ConnectOptions & { readonly service?: AnyService },
  ): Promise<ServiceClient<AnyService>> => {
    const service = options?.service;
    const client = service === undefined ? (needs: NeedsOf) => new KeyValueClient(needs) : clientOf(service);
    return await connectWith({ platform: platform(), client }, endpoints, options);
  };
  return connect as Connect;
}

type NeedsOf = ConstructorParameters<typeof KeyValueClient>[0];
