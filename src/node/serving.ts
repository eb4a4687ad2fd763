import type { Server } from 'node:http';
import type { Serving, ServingNeeds } from '../http/serve-node.js';
import { serveNode } from '../http/serve-node.js';
import type { ServedNode } from '../http/served-node.js';
import type { InspectedNode, InspectionOptions } from './inspection.js';
import { serveInspection } from './inspection.js';

export type ServingOptions = Serving & InspectionOptions;

/** Serves a node to people, scripts, clients and those who look at its charts. Returns how to stop. */
export function serve(
  node: ServedNode & InspectedNode,
  ownServer: Server | undefined,
  options: ServingOptions,
  needs: ServingNeeds,
): () => Promise<void> {
  const stopNode = serveNode(node, ownServer, options, needs);
  const stopInspection = serveInspection(node, ownServer, options, needs);
  return async () => {
    await Promise.all([stopInspection(), stopNode()]);
  };
}
