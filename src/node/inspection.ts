import type { Server } from 'node:http';
import type { AnyActorRef } from 'xstate';
import { memberIn } from '../http/asked-member.js';
import type { CalledNode } from '../http/callers.js';
import { checkCaller, isFromHere } from '../http/callers.js';
import { relayMember } from '../http/relayed-member.js';
import { targetOf } from '../http/request-target.js';
import type { Serving, ServingNeeds } from '../http/serve-node.js';
import type { ServedNode } from '../http/served-node.js';
import { actorSource } from '../inspect/actor-source.js';
import { InspectionHub } from '../inspect/hub.js';
import { INSPECTION_PROTOCOL } from '../inspect/stream.js';
import { openStreamEndpoint } from '../inspect/stream-endpoint.js';
import { INSPECTION_PATH } from '../wire/connections.js';
import { ownNameOf } from './declared-options.js';
import { isQuietEvent, withoutResults } from './inspected-events.js';

/** A node whose charts can be looked at. */
export interface InspectedNode extends CalledNode {
  readonly actor: AnyActorRef;
  readonly state: ServedNode['state'] & { readonly id: string };
  status(): object;
}

/** The options of a node that say where its charts are shown, and to whom. */
export interface InspectionOptions extends Pick<Serving, 'server' | 'routes'> {
  readonly cluster?: string;
  readonly inspectRemote?: boolean;
}

/**
 * Shows the node's actors to the inspector's page, from the first viewer's coming to the last one's leaving. It does so where the pages
 * are served, too: on a server of the user's only under a prefix. Another member's are shown by `?node=ID`, where that member lets this node
 * look. Returns how to stop.
 */
export function serveInspection(
  node: InspectedNode,
  ownServer: Server | undefined,
  { server: usersServer, routes, cluster, inspectRemote: remote = false }: InspectionOptions,
  { clock, warn }: ServingNeeds,
): () => Promise<void> {
  const prefix = ownServer === undefined && typeof routes === 'string' ? routes : '';
  const server = ownServer ?? (prefix === '' ? undefined : usersServer);
  if (server === undefined) return async () => undefined;
  const { id } = node.state;
  const hub = new InspectionHub(clock);
  hub.add(
    actorSource({
      actor: node.actor,
      clock,
      system: id,
      name: () => `${id} at ${node.address}`,
      cluster: ownNameOf(cluster),
      pid: process.pid,
      isQuiet: isQuietEvent,
      shownOf: withoutResults,
      failed: (error) =>
        warn(`the inspector failed: ${String(error)}; the node goes on; reload its page to look again`),
    }),
  );
  return openStreamEndpoint({
    server,
    path: `${prefix}${INSPECTION_PATH}`,
    hub,
    clock,
    checkCaller: (request) => checkCaller(request, node),
    relay: (request) => {
      const member = memberIn(new URLSearchParams(targetOf(request).search), node);
      const readerAt = isFromHere(request) ? undefined : (request.socket.remoteAddress ?? 'unknown');
      const stream = { path: `${prefix}${INSPECTION_PATH}`, protocol: INSPECTION_PROTOCOL, clock, readerAt };
      return member && ((viewer) => relayMember(member, stream, viewer));
    },
    objection: (request) => (remote || isFromHere(request) ? undefined : ONLY_FROM_HERE),
  });
}

/** At most 123 bytes: it is the reason of a close. */
const ONLY_FROM_HERE =
  'only this machine may look at the charts, and no proxy: start the node with --inspect-remote, or use a tunnel';
