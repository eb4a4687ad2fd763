import type { Notice } from '../raft/effects.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Logger } from './node-log.js';

/**
 * One line for each change that somebody on call would want to know of; nothing for each message. Without a majority a node
 * asks for pre-votes several times a second, for as long as it takes: after the first that found no majority, and after the first
 * election that failed, these lines go to `debug` until somebody leads again.
 */
export class NoticeLog {
  readonly #logger: Logger;
  #isRepeating = false;
  #hasAsked = false;
  /** The peers whose last line said that they are up. */
  readonly #up = new Set<NodeId>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  write(notice: Notice): void {
    if (endsTheSearch(notice)) this.#isRepeating = this.#hasAsked = false;
    if (notice.type === 'election.started') this.#hasAsked = false;
    if (notice.type === 'prevote.started' && this.#hasAsked) this.#isRepeating = true;
    if (notice.type === 'peer.changed') logPeer(this.#logger, notice, this.#up);
    else logNotice(this.#logger, notice, this.#isRepeating ? 'debug' : 'info');
    if (notice.type === 'prevote.started') this.#hasAsked = true;
    if (notice.type === 'election.ended' && notice.outcome !== 'won') this.#isRepeating = true;
  }
}

/** Somebody leads, or this node does: its own victory is told before it is known as the leader. */
function endsTheSearch(notice: Notice): boolean {
  if (notice.type === 'leader.changed') return notice.leaderId !== null;
  if (notice.type === 'role.changed') return notice.role === 'leader';
  return notice.type === 'election.ended' && notice.outcome === 'won';
}

/** A peer that is a heartbeat late now and then was never down: that it is up is said once. */
function logPeer(logger: Logger, notice: Extract<Notice, { type: 'peer.changed' }>, up: Set<NodeId>): void {
  const { peer, status, missed } = notice;
  const line = { event: 'peer', peer, status, missed };
  if (status === 'suspect') return logger.debug(line, `peer ${peer} is suspect: a heartbeat is unanswered`);
  if (status === 'down') {
    up.delete(peer);
    return logger.warn(line, `peer ${peer} is down: ${missed} heartbeats unanswered`);
  }
  logger[up.has(peer) ? 'debug' : 'info'](line, `peer ${peer} is up`);
  up.add(peer);
}

function logNotice(logger: Logger, notice: Notice, ofElections: 'debug' | 'info'): void {
  switch (notice.type) {
    case 'role.changed': {
      const { role, term, reason } = notice;
      const line = { event: 'role', role, term, reason };
      // A halt has a notice of its own.
      if (role !== 'halted') logger[ofElections](line, `${role} in term ${term}: ${reason}`);
      break;
    }
    case 'leader.changed': {
      const { leaderId, term } = notice;
      if (leaderId !== null) logger.info({ event: 'leader', leaderId, term }, `leader in term ${term}: ${leaderId}`);
      break;
    }
    case 'leader.serving':
      logger.info({ event: 'serving', term: notice.term }, `serving reads and writes in term ${notice.term}`);
      break;
    case 'prevote.started': {
      const { term, reason } = notice;
      logger[ofElections]({ event: 'prevote', term, reason }, `asks for pre-votes for term ${term}: ${reason}`);
      break;
    }
    case 'election.started': {
      const { term, reason } = notice;
      logger[ofElections]({ event: 'election', term, reason }, `election in term ${term}: ${reason}`);
      break;
    }
    case 'votes.asked':
      logger.debug({ event: 'election', term: notice.term }, `asks ${notice.voters.join(', ')} for their votes`);
      break;
    case 'election.ended': {
      const { term, outcome, tookMs } = notice;
      logger[ofElections](
        { event: 'election', term, outcome, tookMs },
        `election ${outcome} after ${Math.round(tookMs)} ms`,
      );
      break;
    }
    case 'link.changed': {
      const { peer, open, reason } = notice;
      if (open) logger.info({ event: 'link', peer }, `connected to ${peer}`);
      else logger.warn({ event: 'link', peer, reason }, `not connected to ${peer}: ${reason}`);
      break;
    }
    case 'peer.halted': {
      const { peer, reason } = notice;
      logger.error({ event: 'halted', peer, reason }, `peer ${peer} has halted: ${reason}`);
      break;
    }
    case 'replica.diverged': {
      const { peer, index, reason } = notice;
      logger.error({ event: 'diverged', peer, index, reason }, reason);
      break;
    }
    case 'hash.slow': {
      const tookMs = Math.round(notice.tookMs);
      const why = `the state machine's hash took ${tookMs} ms: states of replicas are not compared while this node leads; make it incremental`;
      logger.warn({ event: 'hash', tookMs }, why);
      break;
    }
    case 'connection.refused':
      logger.warn({ event: 'refused', reason: notice.reason }, `refused a connection: ${notice.reason}`);
      break;
    case 'node.recovered': {
      const { lastIndex, term, tornBytes } = notice;
      logger.info(
        { event: 'recovered', lastIndex, term, tornBytes },
        `recovered ${lastIndex} entries up to term ${term}`,
      );
      if (tornBytes > 0)
        logger.warn({ event: 'torn', tornBytes }, `cut ${tornBytes} bytes of an unfinished last write`);
      break;
    }
    case 'entry.skipped': {
      const { index, term, saidAtMs } = notice;
      const when = new Date(saidAtMs).toISOString();
      logger.warn(
        { event: 'skipped', index, term },
        `entry ${index} of term ${term} is skipped, as an operator said at ${when}`,
      );
      break;
    }
    case 'snapshot.taken': {
      const { index, bytes, tookMs } = notice;
      const line = { event: 'snapshot', index, bytes, tookMs };
      if (tookMs > 0)
        logger.info(line, `took a snapshot at entry ${index}: ${bytes} bytes in ${Math.round(tookMs)} ms`);
      break;
    }
    case 'snapshot.failed':
      logger.warn({ event: 'snapshot', reason: notice.reason }, `no snapshot was taken: ${notice.reason}`);
      break;
    case 'snapshot.damaged':
      logger.warn({ event: 'snapshot', reason: notice.reason }, `a snapshot is passed over: ${notice.reason}`);
      break;
    case 'snapshot.unreadable': {
      const { index, reason } = notice;
      const why = `the snapshot at entry ${index}, which a peer needs, cannot be read: ${reason}; if it is the newest, another one is taken`;
      logger.warn({ event: 'snapshot', index, reason }, why);
      break;
    }
    case 'snapshot.awaited': {
      const { reason } = notice;
      logger.warn({ event: 'snapshot', reason }, `waits for a snapshot of the leader's: ${reason}`);
      break;
    }
    case 'snapshot.offered': {
      const { peer, index, bytes } = notice;
      const why = `peer ${peer} needs entries that are no longer in the log: it is told to install the snapshot at entry ${index}, ${bytes} bytes`;
      logger.info({ event: 'snapshot', peer, index, bytes }, why);
      break;
    }
    case 'install.began': {
      const { from, index, bytes } = notice;
      logger.info(
        { event: 'install', from, index, bytes },
        `receives a snapshot at entry ${index} from ${from}: ${bytes} bytes`,
      );
      break;
    }
    case 'install.failed': {
      const { from, index, reason } = notice;
      logger.warn(
        { event: 'install', from, index, reason },
        `did not get the snapshot from ${from}, and tries again: ${reason}`,
      );
      break;
    }
    case 'snapshot.installed': {
      const { index, bytes } = notice;
      logger.info({ event: 'install', index, bytes }, `has installed a snapshot, and goes on after entry ${index}`);
      break;
    }
    case 'log.stalled': {
      const { waitedMs } = notice;
      const why = `the disk has not finished a sync for ${waitedMs} ms: this node neither leads nor votes until it does`;
      logger.warn({ event: 'disk', waitedMs }, why);
      break;
    }
    case 'log.resumed': {
      const { waitedMs } = notice;
      logger.info({ event: 'disk', waitedMs }, `the disk has finished a sync after ${waitedMs} ms: it is used again`);
      break;
    }
    case 'log.full':
      logger.error({ event: 'disk', err: notice.error }, notice.error.message);
      break;
    case 'log.roomMade': {
      const { fullForMs } = notice;
      const text = `the disk has room again after ${Math.round(fullForMs)} ms: this node takes entries`;
      logger.info({ event: 'disk', fullForMs }, text);
      break;
    }
    case 'node.halted':
      logger.error({ event: 'halted', err: notice.error }, notice.error.message);
      break;
    case 'log.truncated':
      logger.info({ event: 'truncated', from: notice.from }, `entries from ${notice.from} on give way to the leader's`);
      break;
    default:
      break;
  }
}
