import type { Index, LogPosition, NodeId, Term } from '../raft/kinds.js';
import { greater, lesser, NO_INDEX, NO_TERM } from '../raft/kinds.js';
import type { LogShape } from '../raft/log-shape.js';
import { EMPTY_LOG, extend, lastPosition, truncate } from '../raft/log-shape.js';
import type { Entry } from '../raft/messages.js';
import type { StoredRecord } from '../wire/records.js';

/** The state that a sequence of records adds up to: term, vote, and the log's shape. */
export interface LogImage {
  readonly term: Term;
  readonly votedFor: NodeId | null;
  readonly log: LogShape;
  readonly commitIndex: Index;
  readonly lastTimeMs: number;
  readonly closed: boolean;
}

export const EMPTY_IMAGE: LogImage = {
  term: NO_TERM,
  votedFor: null,
  log: EMPTY_LOG,
  commitIndex: NO_INDEX,
  lastTimeMs: 0,
  closed: false,
};

/** Why a record cannot follow what came before it. */
export class ImpossibleRecord extends Error {
  override readonly name = 'ImpossibleRecord';
}

export function withRecord(image: LogImage, record: StoredRecord): LogImage {
  const open = { ...image, closed: false };
  switch (record.kind) {
    case 'entries':
      return withEntries(open, record.entries);
    case 'truncation':
      if (record.from <= image.commitIndex) {
        throw new ImpossibleRecord(`entries up to ${image.commitIndex} are committed, and cut from ${record.from} on`);
      }
      return { ...open, log: truncate(image.log, record.from) };
    case 'vote':
      return { ...open, term: record.term, votedFor: record.votedFor };
    case 'commit':
      return { ...open, commitIndex: greater(image.commitIndex, lesser(record.index, image.log.lastIndex)) };
    case 'closed':
      return { ...image, closed: true };
  }
}

export const endOf = (image: LogImage): LogPosition => lastPosition(image.log);

function withEntries(image: LogImage, entries: readonly Entry[]): LogImage {
  let { log } = image;
  let last = endOf(image);
  let runStart = 0;
  entries.forEach((entry, at) => {
    if (entry.index !== last.index + 1 || entry.term < last.term) {
      throw new ImpossibleRecord(
        `entry ${entry.index} of term ${entry.term} follows ${last.index} of term ${last.term}`,
      );
    }
    last = entry;
    if (entries[at + 1]?.term === entry.term) return;
    log = extend(log, entry.term, at + 1 - runStart);
    runStart = at + 1;
  });
  return { ...image, log, lastTimeMs: entries.at(-1)?.timeMs ?? image.lastTimeMs };
}
