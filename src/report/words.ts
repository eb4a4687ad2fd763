import type { NodeNotice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import { hasQuorum } from '../raft/quorum.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { NodeNews } from './node-report.js';
import { asSentence, countOf, durationOf, grouped, listOf } from './phrases.js';
import { linkReason, plainly } from './plain-reasons.js';
import { installWords, isReplaced, replacedWords, snapshotWords } from './snapshot-words.js';

/** An event in words, before it has its number among a node's news. */
export type Told = Pick<NodeNews, 'event' | 'term' | 'tone' | 'text' | 'details'>;

/** The facts beside the notice that its words may need: the node just before it. */
export interface Circumstances {
  /** Monotonic ms. */
  readonly nowMs: number;
  readonly state: ReplicaState;
  /** Puts of this node's callers that have no answer yet. */
  readonly waitingPuts: number;
}

type Of<Type extends NodeNotice['type']> = Extract<NodeNotice, { type: Type }>;
type Words = Pick<Told, 'tone' | 'text'>;

/** A peer trails when this many entries are missing there. */
export const TRAILS_BY = 1_000;

/**
 * Puts what happened to one node in plain sentences, as far as people want to know it. Without a majority a node asks for
 * pre-votes several times a second: only the first time that failed is told, until somebody leads again.
 */
export class NewsWriter {
  readonly #id: NodeId;
  #role = 'recovering';
  #candidateSinceMs = 0;
  #isRepeating = false;
  /** Whether this node asks for pre-votes now, and has not stood for election since. */
  #isAsking = false;
  #whyItAsked = 'nobody led';
  readonly #downSinceMs = new Map<NodeId, number>();
  /** Why the link to a peer broke, and when. */
  readonly #broken = new Map<
    NodeId,
    { readonly sinceMs: number; readonly reasons: Set<string>; readonly wasOpen: boolean }
  >();
  readonly #opened = new Set<NodeId>();

  constructor(id: NodeId) {
    this.#id = id;
  }

  /** Undefined where nobody needs to know. */
  write(notice: NodeNotice, circumstances: Circumstances): Told | undefined {
    const words = this.#wordsFor(notice, circumstances);
    if (words === undefined) return undefined;
    const { type: event, ...details } = notice;
    const term = 'term' in notice ? notice.term : circumstances.state.term;
    return { event, term, ...words, details: 'error' in details ? { error: details.error.message } : details };
  }

  #wordsFor(notice: NodeNotice, circumstances: Circumstances): Words | undefined {
    const id = this.#id;
    switch (notice.type) {
      case 'role.changed':
        return this.#roleChanged(notice, circumstances);
      case 'prevote.started':
        return this.#preVote(notice);
      case 'election.started':
        this.#isAsking = false;
        if (this.#isRepeating) return undefined;
        return { tone: 'wait', text: `${id} stood for election in term ${notice.term}: ${plainly(this.#whyItAsked)}.` };
      case 'votes.asked':
        return this.#isRepeating ? undefined : this.#asked(notice);
      case 'election.ended':
        return this.#election(notice);
      case 'leader.changed':
        if (notice.leaderId !== null) this.#isAsking = this.#isRepeating = false;
        return undefined;
      case 'leader.serving':
        return {
          tone: 'accent',
          text: `${id} serves: the first entry of term ${notice.term} is on a majority.${waited(circumstances)}`,
        };
      case 'peer.changed':
        return this.#peer(notice, circumstances);
      case 'link.changed':
        return this.#link(notice, circumstances.nowMs);
      case 'peer.halted':
        return { tone: 'danger', text: asSentence(`${notice.peer} has halted: ${notice.reason}`) };
      case 'replica.diverged':
        return {
          tone: 'danger',
          text: `${id} found that ${notice.peer}'s state after entry ${grouped(notice.index)} is wrong.`,
        };
      case 'hash.slow':
        return {
          tone: 'wait',
          text: `${id}'s state machine took ${durationOf(notice.tookMs)} for its hash: states are not compared while it leads.`,
        };
      case 'entry.skipped':
        return { tone: 'wait', text: `${id} skipped entry ${grouped(notice.index)}, as an operator said.` };
      case 'connection.refused':
        return { tone: 'wait', text: `${id} refused a connection: ${notice.reason}.` };
      default:
        return snapshotWords(id, notice) ?? installWords(id, notice) ?? diskWords(id, notice, circumstances.state);
    }
  }

  #roleChanged({ role, term, reason }: Of<'role.changed'>, { nowMs, state }: Circumstances): Words | undefined {
    const before = this.#role;
    this.#role = role;
    if (role === 'candidate' && before !== 'candidate') this.#candidateSinceMs = nowMs;
    // Only a leader counts heartbeats: what an earlier leadership missed says nothing of this one.
    if (role === 'leader') this.#downSinceMs.clear();
    if (role === 'leader') return this.#leads(term, nowMs, state);
    if (role !== 'follower') return undefined;
    if (before === 'leader') return { tone: 'wait', text: `${this.#id} leads no more: ${plainly(reason)}.` };
    if (before === 'candidate')
      return { tone: 'neutral', text: `${this.#id} gave up its election: ${plainly(reason)}.` };
    if (before !== 'recovering') return undefined;
    const { lastIndex, runs } = state.log;
    const holds =
      lastIndex === 0
        ? 'Its log is empty.'
        : `Its log holds ${countOf(lastIndex, 'entry', 'entries')} up to term ${runs.at(-1)?.[1] ?? 0}.`;
    return { tone: 'neutral', text: `${this.#id} listens for a leader. ${holds}` };
  }

  #leads(term: number, nowMs: number, { votes, leaderHeardAtMs }: ReplicaState): Words {
    this.#isRepeating = false;
    const voters = Object.keys(votes)
      .filter((voter) => votes[voter] === true)
      .sort();
    const tookMs = nowMs - this.#candidateSinceMs;
    const silentMs = nowMs - leaderHeardAtMs;
    const nobody = Number.isFinite(silentMs) && silentMs > tookMs ? `; nobody led for ${durationOf(silentMs)}` : '';
    const text = `${this.#id} leads in term ${term} with ${voters.length === 1 ? 'the vote' : 'the votes'} of ${listOf(voters)}.`;
    return { tone: 'accent', text: `${text} The election took ${durationOf(tookMs)}${nobody}.` };
  }

  #asked({ voters }: Of<'votes.asked'>): Words {
    const votes = voters.length === 1 ? 'its vote' : 'their votes';
    return { tone: 'wait', text: `${this.#id} asks ${listOf(voters)} for ${votes}. Its own is on disk.` };
  }

  /** Once where it asks, and once where nobody has answered in time. */
  #preVote({ term, reason }: Of<'prevote.started'>): Words | undefined {
    const id = this.#id;
    if (!this.#isAsking) this.#whyItAsked = reason;
    if (this.#isRepeating) return undefined;
    if (!this.#isAsking) {
      this.#isAsking = true;
      return { tone: 'wait', text: `${id} asks whether it could win term ${term}: ${plainly(reason)}.` };
    }
    this.#isRepeating = true;
    const text = `${id} found no majority that would vote for it. It asks again until somebody leads.`;
    return { tone: 'wait', text };
  }

  #election({ term, outcome, tookMs }: Of<'election.ended'>): Words | undefined {
    if (outcome !== 'timed out' || this.#isRepeating) return undefined;
    this.#isRepeating = true;
    const text = `${this.#id} found no majority in term ${term} within ${durationOf(tookMs)}. It stands again until somebody leads.`;
    return { tone: 'wait', text };
  }

  #peer({ peer, status, missed }: Of<'peer.changed'>, { nowMs, state }: Circumstances): Words | undefined {
    if (status === 'suspect') return undefined;
    if (status === 'down') {
      this.#downSinceMs.set(peer, nowMs - missed * state.settings.HEARTBEAT_INTERVAL);
      return {
        tone: 'danger',
        text: `${peer} is down: ${countOf(missed, 'heartbeat')} unanswered.${leftWithout(state, peer)}`,
      };
    }
    const sinceMs = this.#downSinceMs.get(peer);
    this.#downSinceMs.delete(peer);
    if (sinceMs === undefined) return undefined;
    return { tone: 'accent', text: `${peer} is back: it answers again after ${durationOf(nowMs - sinceMs)}.` };
  }

  #link({ peer, open, reason }: Of<'link.changed'>, nowMs: number): Words | undefined {
    const broken = this.#broken.get(peer);
    if (open) {
      this.#broken.delete(peer);
      this.#opened.add(peer);
      if (broken === undefined || !broken.wasOpen) return undefined;
      return {
        tone: 'neutral',
        text: `The link to ${peer} is open again after ${durationOf(nowMs - broken.sinceMs)}.`,
      };
    }
    const why = linkReason(reason);
    if (broken !== undefined) {
      // A process that is gone resets its connections first, and then refuses new ones: that is told once.
      const isKnown = broken.reasons.has(why) || why === 'connection refused';
      broken.reasons.add(why);
      return isKnown
        ? undefined
        : { tone: 'neutral', text: `The link to ${peer} cannot be made: ${why}. It dials again.` };
    }
    const wasOpen = this.#opened.has(peer);
    this.#broken.set(peer, { sinceMs: nowMs, reasons: new Set([why]), wasOpen });
    const what = wasOpen ? `The link to ${peer} broke` : `The link to ${peer} cannot be made yet`;
    return { tone: 'neutral', text: `${what}: ${why}. It dials again.` };
  }
}

function diskWords(id: NodeId, notice: NodeNotice, state: ReplicaState): Words | undefined {
  switch (notice.type) {
    case 'node.recovered':
      if (notice.tornBytes === 0) return undefined;
      return {
        tone: 'neutral',
        text: `${id} cut ${countOf(notice.tornBytes, 'byte')} of an unfinished last write from its log.`,
      };
    case 'log.stalled':
      return {
        tone: 'danger',
        text: `${id}'s disk has not finished a sync for ${durationOf(notice.waitedMs)}: it neither leads nor votes until it does.`,
      };
    case 'log.resumed':
      return { tone: 'accent', text: `${id}'s disk works again after ${durationOf(notice.waitedMs)}.` };
    case 'log.full':
      return { tone: 'danger', text: asSentence(`${id}: ${notice.error.message}`) };
    case 'log.roomMade':
      return { tone: 'accent', text: `${id}'s disk has room again after ${durationOf(notice.fullForMs)}.` };
    case 'node.halted':
      return { tone: 'danger', text: asSentence(`${id} has halted: ${notice.error.message}`) };
    case 'log.truncated':
      if (isReplaced(state, notice.from)) return replacedWords(id, notice.from, state);
      return {
        tone: 'wait',
        text: `${id} dropped its entries from ${grouped(notice.from)} on: the leader does not have them, and nobody was told that they were done.`,
      };
    default:
      return undefined;
  }
}

function waited({ waitingPuts }: Circumstances): string {
  return waitingPuts === 0 ? '' : ` ${countOf(waitingPuts, 'put')} waited for it.`;
}

/** Whether the voters that are left are a majority, once `peer` is gone, too. */
function leftWithout(state: ReplicaState, peer: NodeId): string {
  const isThere = (voter: NodeId): boolean => voter !== peer && valueFor(state.peers, voter)?.status !== 'down';
  if (hasQuorum(state, isThere)) return '';
  const left = state.voters.filter(isThere).length;
  return ` ${left} of ${countOf(state.voters.length, 'voter')} ${left === 1 ? 'is' : 'are'} left: nothing can be committed.`;
}

/** Commands of this node's callers that ended as unknown, within a second or so. */
export function unknownPuts(term: number, count: number, lastAfterMs: number): Told {
  const after = durationOf(lastAfterMs);
  const text =
    count === 1
      ? `A put ended with OUTCOME_UNKNOWN after ${after}.`
      : `${countOf(count, 'put')} ended with OUTCOME_UNKNOWN, the last after ${after}.`;
  return { event: 'puts.unknown', term, tone: 'danger', text, details: { count, lastAfterMs } };
}

/** A leader sees how far its peers are. */
export function trailing(term: number, peer: NodeId, trails: boolean, by: number): Told {
  const limit = grouped(TRAILS_BY);
  const text = `${peer} trails by more than ${limit} entries${trails ? '' : ' no more'}.`;
  return {
    event: trails ? 'peer.trails' : 'peer.caughtUp',
    term,
    tone: trails ? 'wait' : 'neutral',
    text,
    details: { peer, by },
  };
}
