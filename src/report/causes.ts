import type { ClusterPicture, HeardNode, Lack, LackKind, LiveNode } from './cluster-picture.js';
import { haltReasonOf } from './cluster-picture.js';

import { countOf, durationOf, grouped, inWords, listOf } from './phrases.js';
import { silenceOf } from './silence.js';
import { receivingWords } from './snapshot-words.js';

/** A line of the headline: since when a node is missing, and what the leader's link to it, or the reader's own, says. */
export function rowOf(
  lack: Lack,
  leader: LiveNode | undefined,
  nodes: readonly HeardNode[],
): { readonly node: string; readonly text: string } {
  return { node: lack.node.id, text: textOf(lack, leader, nodes) };
}

function textOf({ node, kind }: Lack, leader: LiveNode | undefined, nodes: readonly HeardNode[]): string {
  switch (kind) {
    case 'down':
      if (haltReasonOf(node, nodes) !== undefined) return textOf({ node, kind: 'halted' }, leader, nodes);
      return `${node.report === null ? 'does not answer' : `down for ${durationOf(node.silentMs)}`} · ${placedReason(node, leader, nodes)}`;
    case 'halted':
      return `has halted · ${haltReasonOf(node, nodes) ?? 'its log says why'}`;
    case 'recovering':
      return 'recovering: it reads its log before it votes and answers';
    case 'stalled':
      return 'its disk does not finish a sync: it neither leads nor votes until it does';
    case 'full':
      return node.report?.notReady?.message ?? 'its disk is full: it takes no entries until there is room';
    case 'installing':
      return installingText(node);
    case 'unheard':
      return `answers here, but not ${leader?.id} · ${placedReason(node, leader, nodes)}`;
  }
}

function installingText({ report }: HeardNode): string {
  const { receiving = null, state = '' } = report ?? {};
  const isDamaged = state.endsWith('.awaitingSnapshot');
  const idle = isDamaged ? "waits for a snapshot of the leader's" : 'receives a snapshot';
  const what = receiving === null ? idle : receivingWords(receiving);
  return isDamaged
    ? `${what} · its own is damaged, and it takes no entries before that one is installed`
    : `${what} · entries that it lacks are no longer in the leader's log, and it takes none before the snapshot is installed`;
}

/** The same as a sentence, where one node only is missing. */
export function reasonSentence(lack: Lack, leader: LiveNode | undefined, nodes: readonly HeardNode[]): string {
  const { node, kind } = lack;
  const { before, between } = JOINTS[kind] ?? { before: ': ', between: ': ' };
  if (kind !== 'down') return `${node.id}${before}${textOf(lack, leader, nodes).replaceAll(' · ', between)}.`;
  const since = node.report === null ? 'does not answer' : `was last heard ${durationOf(node.silentMs)} ago`;
  return `${node.id} ${since}: ${placedReason(node, leader, nodes)}.`;
}

interface Joints {
  readonly before: string;
  readonly between: string;
}

/** The signs before and between the parts of a reason that begins with a verb, as in "n3 has halted: its disk failed". */
const JOINTS: Readonly<Partial<Record<LackKind, Joints>>> = {
  halted: { before: ' ', between: ': ' },
  installing: { before: ' ', between: '; ' },
  unheard: { before: ' ', between: ': ' },
};

/** Why a node is silent, with the address where it was looked for. */
function placedReason(node: HeardNode, leader: LiveNode | undefined, nodes: readonly HeardNode[]): string {
  const silence = silenceOf(node, leader, nodes);
  if (silence.isLinkOpen)
    return `link open, ${silence.reason}${node.isAnswering ? '' : ': its process may be stopped'}`;
  return silence.reason.includes(node.address) ? silence.reason : `${silence.reason} at ${node.address}`;
}

const BEING: Readonly<Record<LackKind, (ids: readonly string[], one: boolean) => string>> = {
  down: (ids, one) => `${listOf(ids)} ${one ? 'is' : 'are'} down`,
  halted: (ids, one) => `${listOf(ids)} ${one ? 'has' : 'have'} halted`,
  recovering: (ids, one) => `${listOf(ids)} ${one ? 'is' : 'are'} recovering`,
  stalled: (ids, one) => `${listOf(ids)} ${one ? 'waits for its disk' : 'wait for their disks'}`,
  full: (ids, one) => `${listOf(ids)} ${one ? 'has a full disk' : 'have full disks'}`,
  installing: (ids, one) => `${listOf(ids)} ${one ? 'receives a snapshot' : 'receive snapshots'}`,
  unheard: (ids, one) => `${listOf(ids)} ${one ? 'is' : 'are'} cut off from the leader`,
};

/** `n1 is down`, `n1 and n4 are down and n5 has halted`. */
export function conditionsOf(lacks: readonly Lack[]): string {
  const kinds = [...new Set(lacks.map(({ kind }) => kind))];
  return listOf(
    kinds.map((kind) => {
      const ids = lacks.filter((lack) => lack.kind === kind).map(({ node }) => node.id);
      return BEING[kind](ids, ids.length === 1);
    }),
  );
}

/** `13 puts and 12 reads wait, the oldest for 7.9 s`; null where nobody waits. */
export function waitersOf({ live }: ClusterPicture): string | null {
  const waiting = live.map(({ report }) => report.waiting);
  const sum = (count: (one: (typeof waiting)[number]) => number): number =>
    waiting.reduce((all, one) => all + count(one), 0);
  const puts = sum((one) => one.puts);
  const reads = sum((one) => one.reads);
  if (puts + reads === 0) return null;
  const who = listOf([...(puts === 0 ? [] : [countOf(puts, 'put')]), ...(reads === 0 ? [] : [countOf(reads, 'read')])]);
  const oldestMs = Math.max(...waiting.map((one) => one.oldestMs ?? 0));
  return `${who} ${puts + reads === 1 ? 'waits' : 'wait'}, the oldest for ${durationOf(oldestMs)}`;
}

/** Says who waits for a majority, what becomes of them, and how many nodes it takes. */
export function whatBecomesOfThem(picture: ClusterPicture, leader: LiveNode | undefined, lacking: number): string {
  const ended = picture.live.reduce((all, { report }) => all + report.waiting.endedUnknown, 0);
  const waiters = waitersOf(picture) ?? 'Nobody waits now';
  const end =
    ended > 0
      ? `${grouped(ended)} ${ended === 1 ? 'put has' : 'puts have'} ended with OUTCOME_UNKNOWN`
      : futureOf(picture, leader);
  return `${waiters}${end === '' ? '' : `; ${end}`}. Stale reads are answered. Bring ${inWords(lacking)} back.`;
}

function futureOf(picture: ClusterPicture, leader: LiveNode | undefined): string {
  if (waitersOf(picture) === null) return '';
  if (leader === undefined) return 'when their time is over they end with NO_LEADER or NO_QUORUM, and nothing was done';
  return 'a put that finds no majority in time ends with OUTCOME_UNKNOWN';
}

/** The shell command that starts a node again, and the node's id; both null where there is none to start. */
interface Restart {
  readonly command: string | null;
  readonly starts: string | null;
}

/**
 * The command that starts the first missing node again. For one that was never heard it is made of what its peers know, and they do not
 * know its directory: the brackets in its place make a shell refuse the command until it is filled in, because a node that starts
 * on a new directory has lost its data.
 */
export function commandOf(lacks: readonly Lack[], voters: readonly HeardNode[]): Restart {
  const stopped = lacks.filter(({ kind }) => kind === 'down' || kind === 'halted').map(({ node }) => node);
  const known = stopped.find(({ startCommand }) => startCommand !== null);
  if (known !== undefined) return { command: known.startCommand, starts: known.id };
  const unknown = stopped.find(({ report }) => report === null);
  // Only nodes that were heard tell who the members are.
  if (unknown === undefined || voters.every(({ report }) => report === null)) return NO_COMMAND;
  const peers = voters.map(({ id, address }) => `${id}=${address}`).join(',');
  const insecure = LOOPBACK.test(unknown.address) ? '' : ' --insecure';
  const command = `${programOf(voters)} serve --id ${unknown.id} --listen ${unknown.address} --peers ${peers} --data <DIRECTORY_OF_${unknown.id}>${insecure}`;
  return { command, starts: unknown.id };
}

/** Addresses at which a node listens without `--insecure`. */
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost):/;

const NO_COMMAND = { command: null, starts: null } as const;

/** The words before `serve` in the start command of a node that was heard, without its folder and its variables: those are its own. */
function programOf(voters: readonly HeardNode[]): string {
  const started = voters.find(({ startCommand }) => startCommand?.includes(' serve ') === true);
  return started?.startCommand?.split(' serve ')[0]?.replace(OWN_WORDS, '') ?? 'quorate';
}

const WORD = "(?:'(?:[^']|'\\\\'')*'|\\S+)";
const OWN_WORDS = new RegExp(`^(?:cd ${WORD} && )?(?:[A-Z_]+=${WORD} )*`);
