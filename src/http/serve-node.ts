import type { Server } from 'node:http';
import type { Clock } from '../seams/clock.js';
import { Admission } from './admission.js';
import { attachApi } from './attach-api.js';
import { countDescriptors } from './descriptors.js';
import { embedApi } from './embed-api.js';
import type { ServedNode } from './served-node.js';

/** What of a node's options says where and to how many it is served. */
export interface Serving {
  readonly server?: Server;
  readonly routes?: string | false;
  /** A transport of the user's: peers do not come in on the server then. */
  readonly transport?: unknown;
  readonly maxConnections?: number;
}

export interface ServingNeeds {
  readonly clock: Clock;
  /** Tells the log of something that somebody should mend. */
  readonly warn: (message: string) => void;
}

/** Answers people, scripts and clients on the node's own server or on the user's, if there is one. Returns how to stop. */
export function serveNode(
  node: ServedNode,
  ownServer: Server | undefined,
  { server, routes = '', transport, maxConnections }: Serving,
  { clock, warn }: ServingNeeds,
): () => Promise<void> {
  if (ownServer === undefined && server === undefined) return async () => undefined;
  const peers = (): number => Object.keys(node.state.peers).length;
  const admission = new Admission({ clock, maxConnections, peers, countDescriptors, warn });
  const api = { node, clock, admission };
  try {
    const close =
      ownServer === undefined
        ? embedApi(server as Server, { ...api, routes, takesPeers: transport === undefined, warn })
        : attachApi(ownServer, api);
    return () => {
      admission.stop();
      return close();
    };
  } catch (error) {
    admission.stop();
    throw error;
  }
}
