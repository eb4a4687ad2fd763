import type { HeardNode, LiveNode } from './cluster-picture.js';
import { haltReasonOf, isLive } from './cluster-picture.js';
import type { LinkReport } from './node-report.js';
import { countOf } from './phrases.js';

/** Why a node is not heard. */
export interface Silence {
  /** In a few words, as `connection refused` or `3 heartbeats unanswered`. */
  readonly reason: string;
  /** A peer is connected to it, and gets no answers. */
  readonly isLinkOpen: boolean;
}

/**
 * The one reason that is told wherever a node is missing: what the leader's link to it says, else any other node's that answers, else
 * the reader's own last attempt. They may differ by a second or two, and several reasons for one failure would look like several failures.
 */
export function silenceOf(node: HeardNode, leader: LiveNode | undefined, nodes: readonly HeardNode[]): Silence {
  const halted = haltReasonOf(node, nodes);
  if (halted !== undefined && !node.isAnswering) return { reason: `it has halted: ${halted}`, isLinkOpen: false };
  const askers = [...(leader === undefined ? [] : [leader]), ...nodes.filter(isLive)];
  const links = askers.flatMap(({ report }) => report.links.filter(({ peer }) => peer === node.id));
  const missed = links.find((link) => link.state === 'open' && (link.unanswered ?? 0) > 0);
  const broken = links.find(({ reason }) => reason !== null);
  if (missed !== undefined && (missed === links[0] || broken === undefined))
    return { reason: unanswered(missed), isLinkOpen: true };
  return { reason: broken?.reason ?? node.lastReason ?? 'no answer', isLinkOpen: false };
}

const unanswered = ({ unanswered: count }: LinkReport): string => `${countOf(count ?? 0, 'heartbeat')} unanswered`;
