import { connectWith } from '../client/connect.js';
import type { DispatcherOptions } from '../client/dispatcher.js';
import { nodePlatform } from '../client/node-platform.js';
import type { ServiceClient } from '../client/service-client.js';
import { QuorateError } from '../errors/quorate-error.js';
import type { AnyService } from '../seams/service.js';
import type { ClientOptions } from './client-flags.js';
import { NoAnswer } from './exit.js';
import { withHint } from './first-endpoint.js';

/** `asksOneNode`: only the endpoints that are given are asked, and no other node of the cluster. */
export type Dial<Client> = (options: ClientOptions & { readonly asksOneNode?: boolean }) => Promise<Client>;

/**
 * Connects to a cluster for one command: where no node answers at the first attempt, it says so at once and does not dial
 * again. Nothing was asked then, so that a write is surely not done.
 */
export function createDial<Client extends ServiceClient<AnyService>>(
  make: (options: Omit<DispatcherOptions, 'service'>) => Client,
): Dial<Client> {
  return async ({ endpoints, timeoutMs, asksOneNode = false }) => {
    const client = (options: Omit<DispatcherOptions, 'service'>): Client =>
      make({ ...options, onlyEndpoints: asksOneNode });
    try {
      return await connectWith({ platform: nodePlatform(), client, dialsOnce: true }, endpoints, { timeoutMs });
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code !== 'QUORATE_NO_LEADER') throw error;
      // Each reason stands behind the name that it would name again.
      const message = error.message.replaceAll(/\(looking up \S+ /g, '(looking up the name ');
      if (asksOneNode) throw new NoAnswer(reasonIn(message));
      throw new QuorateError(error.code, withHint(message));
    }
  };
}

/** The words in brackets of `no node answers: 127.0.0.1:7401 (why)`. */
const reasonIn = (message: string): string => /^[^(]*\((.*)\)$/.exec(message)?.[1] ?? message;
