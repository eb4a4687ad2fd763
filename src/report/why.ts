import { commandOf, conditionsOf, reasonSentence, rowOf, waitersOf, whatBecomesOfThem } from './causes.js';
import type { ClusterPicture, HeardNode, Lack, LiveNode } from './cluster-picture.js';
import { electors, isLive, lacksIn, leaderIn, pictureOf, withIt } from './cluster-picture.js';
import { capitalized, countOf, durationOf, inWords, listOf, timeOfDay } from './phrases.js';

export type { HeardNode } from './cluster-picture.js';

/** The one sentence on a cluster: who leads, or why nobody does; and where something fails, what, who waits and what helps. */
export interface Headline {
  /** `accent`: served, with room for a failure or with all nodes there. `wait`: passes, or is one failure from stopping. `danger`: nothing is committed. */
  readonly tone: 'accent' | 'wait' | 'danger';
  readonly title: string;
  readonly subtitle: string | null;
  readonly causes: readonly { readonly node: string; readonly text: string }[];
  readonly waiting: string | null;
  /** The shell command that brings a node back; null where there is none. */
  readonly command: string | null;
  /** The node that the command starts; null where there is none. */
  readonly starts: string | null;
}

/** Computed from the reports of all nodes, those that do not answer included. */
export function headline(nodes: readonly HeardNode[]): Headline {
  const picture = pictureOf(nodes);
  if (picture.live.length === 0) return nobodyAnswers(nodes);
  const leader = leaderIn(picture);
  return leader === undefined ? withoutLeader(picture) : withLeader(picture, leader);
}

const NOTHING_MORE = { causes: [], waiting: null, command: null, starts: null } as const;

function nobodyAnswers(nodes: readonly HeardNode[]): Headline {
  const heardAtMs = nodes.flatMap(({ report }) => (report === null ? [] : [report.atMs]));
  const title =
    heardAtMs.length === 0
      ? 'No node answers.'
      : `No node answers since ${timeOfDay(Math.max(...heardAtMs))}; shown is what was last heard.`;
  const lacks = nodes.map((node) => ({ node, kind: 'down' }) as const);
  const causes = lacks.map((lack) => rowOf(lack, undefined, nodes));
  return { tone: 'danger', title, subtitle: null, causes, waiting: whatIsLeft(nodes), ...commandOf(lacks, nodes) };
}

/** What helps where no node answers this reader, who may be the one that is cut off. A reader that knows of one node alone knows no majority. */
function whatIsLeft({ length }: readonly HeardNode[]): string | null {
  if (length < 2) return null;
  const needed = Math.floor(length / 2) + 1;
  return `If they are down, nothing is served, stale reads neither: bring ${inWords(needed)} back, whichever they are, each with the directory that it had.`;
}

function withLeader(picture: ClusterPicture, leader: LiveNode): Headline {
  const lacks = lacksIn(picture, leader);
  const counted = withIt(picture, leader);
  if (counted.length < picture.needed) return withoutMajority(picture, leader, lacks, counted);
  if (!leader.report.state.endsWith('serving')) return establishing(picture, leader, lacks);
  return lacks.length === 0 ? allAnswer(picture, leader) : someLack(picture, leader, lacks, counted);
}

function withoutMajority(
  picture: ClusterPicture,
  leader: LiveNode | undefined,
  lacks: readonly Lack[],
  counted: readonly HeardNode[],
): Headline {
  const { voters, needed } = picture;
  const only = counted.length === 0 ? 'none' : `only ${listOf(idsOf(counted))}`;
  const title =
    leader === undefined
      ? `Nobody can be elected: ${needed} of ${countOf(voters.length, 'voter')} must vote, and ${only} can.`
      : `Nothing can be committed: ${needed} of ${countOf(voters.length, 'voter')} must answer, and ${only} ${verb(counted, 'does', 'do')}.`;
  return {
    tone: 'danger',
    title,
    subtitle: null,
    causes: lacks.map((lack) => rowOf(lack, leader, voters)),
    waiting: whatBecomesOfThem(picture, leader, needed - counted.length),
    ...commandOf(lacks, voters),
  };
}

function establishing(picture: ClusterPicture, leader: LiveNode, lacks: readonly Lack[]): Headline {
  return {
    ...NOTHING_MORE,
    tone: 'wait',
    title: `${leader.id} leads but may not serve yet: its first entry lacks a majority.`,
    subtitle: sentences([
      ...lacks.map((lack) => reasonSentence(lack, leader, picture.voters)),
      waitersSentence(picture),
    ]),
  };
}

function allAnswer({ voters, needed, live }: ClusterPicture, { id }: LiveNode): Headline {
  if (voters.length === 1) {
    const title = `${id} leads and serves: it is the only node.`;
    return { ...NOTHING_MORE, tone: 'accent', title, subtitle: 'Nothing is served while it is down.' };
  }
  const silent = voters.filter((voter) => !live.some((node) => node.id === voter.id));
  const all = voters.length === 2 ? 'Both nodes' : `All ${inWords(voters.length)} nodes`;
  const others = idsOf(voters).filter((voter) => voter !== id);
  return {
    ...NOTHING_MORE,
    tone: 'accent',
    title:
      silent.length === 0 ? `${id} leads and serves. ${all} answer.` : `${id} leads and serves with ${listOf(others)}.`,
    subtitle: sentences([
      marginOf(voters.length - needed),
      silent.length === 0
        ? ''
        : `${listOf(idsOf(silent))} ${verb(silent, 'does', 'do')} not answer here (${silent[0]?.lastReason ?? 'no answer'}), but ${id} has missed nothing.`,
    ]),
  };
}

function someLack(
  { voters, needed }: ClusterPicture,
  leader: LiveNode,
  lacks: readonly Lack[],
  counted: readonly HeardNode[],
): Headline {
  const margin = counted.length - needed;
  const others = idsOf(counted).filter((id) => id !== leader.id);
  const [only] = lacks;
  const isOne = lacks.length === 1 && only !== undefined;
  return {
    tone: margin === 0 ? 'wait' : 'accent',
    title: `${conditionsOf(lacks)}. ${leader.id} leads and serves with ${listOf(others)}.`,
    subtitle: sentences([
      margin === 0 ? 'One more failure, and nothing is committed.' : marginOf(margin, 'more '),
      isOne ? reasonSentence(only, leader, voters) : '',
    ]),
    causes: isOne ? [] : lacks.map((lack) => rowOf(lack, leader, voters)),
    waiting: null,
    ...commandOf(lacks, voters),
  };
}

function marginOf(failures: number, more = ''): string {
  if (failures === 0) return 'If one fails, nothing is committed.';
  return `${capitalized(inWords(failures))} ${more}may fail, and nothing stops.`;
}

function withoutLeader(picture: ClusterPicture): Headline {
  const { needed, live } = picture;
  const able = electors(picture);
  const lacks = lacksIn(picture, undefined);
  const recovering = live.filter(({ report }) => report.role === 'recovering');
  const shared = { ...NOTHING_MORE, tone: 'wait' } as const;
  // Who hears a leader is in no election, however few answer this reader.
  const unseen = unseenLeader(picture, able);
  if (unseen !== undefined && able.every(({ report }) => report.role === 'follower')) return { ...shared, ...unseen };
  if (able.length + recovering.length < needed) return withoutMajority(picture, undefined, lacks, able);
  const tail = [formerLeader(picture), waitersSentence(picture)];
  if (able.length < needed) {
    const title = `Nobody leads yet: ${listOf(idsOf(recovering))} ${verb(recovering, 'is', 'are')} recovering.`;
    return { ...shared, title, subtitle: sentences(['A node reads its log before it votes.', ...tail]) };
  }
  const candidates = able.filter(({ report }) => report.role === 'candidate');
  if (candidates.length > 0) {
    const subtitle = sentences([formerLeader(picture), ...votesOf(candidates, needed), waitersSentence(picture)]);
    return { ...shared, title: electionTitle(candidates, needed), subtitle };
  }
  return { ...shared, ...(unseen ?? electionAhead(able, tail)) };
}

function electionTitle(candidates: readonly LiveNode[], needed: number): string {
  const term = Math.max(...candidates.map(({ report }) => report.term));
  if (candidates.every(({ report }) => report.state === 'active.preCandidate'))
    return preVoteTitle(candidates, term + 1, needed);
  const stand = `Nobody leads. ${listOf(idsOf(candidates))} ${verb(candidates, 'stands', 'stand')} for election in term ${term}`;
  const [only] = candidates;
  if (candidates.length > 1 || only === undefined) return `${stand}.`;
  return `${stand} and has ${votesFor(only)} of the ${needed} votes it needs.`;
}

/** Before an election nodes ask whether they could win one (thesis §9.6). */
function preVoteTitle(asking: readonly LiveNode[], term: number, needed: number): string {
  const [only] = asking;
  const title = `Nobody leads. ${listOf(idsOf(asking))} ${verb(asking, 'asks', 'ask')} who would vote for ${verb(asking, 'it', 'them')} in term ${term}`;
  if (asking.length > 1 || only === undefined) return `${title}.`;
  return `${title}: ${votesFor(only)} of the ${needed} that it needs would.`;
}

const votesFor = ({ report }: LiveNode): number => {
  return Object.values(report.votes ?? {}).filter((vote) => vote === true).length;
};

/** Whom the candidates wait for; of several candidates, how many votes each has. */
function votesOf(candidates: readonly LiveNode[], needed: number): readonly string[] {
  const [only] = candidates;
  if (candidates.length > 1 || only === undefined) {
    return [
      `${listOf(candidates.map((one) => `${one.id} has ${votesFor(one)}`))} of the ${needed} votes that are needed.`,
    ];
  }
  const { votes, links } = only.report;
  const having = (vote: boolean | null): readonly string[] => {
    return Object.keys(votes ?? {}).filter((voter) => votes?.[voter] === vote && voter !== only.id);
  };
  const isOpen = (voter: string): boolean => links.find(({ peer }) => peer === voter)?.state === 'open';
  const asked = having(null).filter(isOpen);
  const refused = having(false);
  return [
    refused.length === 0 ? '' : `${listOf(refused)} refused.`,
    asked.length === 0
      ? ''
      : `${listOf(asked)} ${asked.length === 1 ? 'was asked for its vote' : 'were asked for their votes'}.`,
  ];
}

/** A leader that its followers hear and the reader does not. */
function unseenLeader(
  { live }: ClusterPicture,
  able: readonly LiveNode[],
): Pick<Headline, 'title' | 'subtitle'> | undefined {
  const hears = ({ report: { leaderId, links } }: LiveNode): boolean => {
    return leaderId !== null && links.some(({ peer, state }) => peer === leaderId && state === 'open');
  };
  const followers = able.filter(hears);
  const leaderId = followers[0]?.report.leaderId;
  if (typeof leaderId !== 'string' || live.some(({ id }) => id === leaderId)) return undefined;
  const title = `${leaderId} leads, as ${listOf(idsOf(followers))} ${verb(followers, 'says', 'say')}, but it does not answer here.`;
  return { title, subtitle: 'Its own report is missing; whether it serves is not known.' };
}

function electionAhead(able: readonly LiveNode[], tail: readonly string[]): Pick<Headline, 'title' | 'subtitle'> {
  const waits = able.flatMap(({ id, report: { timer } }) => (timer === null ? [] : [{ id, restMs: timer.restMs }]));
  const next = waits.sort((one, other) => one.restMs - other.restMs)[0];
  const stands = next === undefined ? '' : `${next.id} stands in ${durationOf(next.restMs)}, unless it hears a leader.`;
  return {
    title: 'Nobody leads. An election is about to begin.',
    subtitle: sentences([...tail.slice(0, 1), stands, ...tail.slice(1)]),
  };
}

function formerLeader({ voters }: ClusterPicture): string {
  const led = voters.filter((node) => !isLive(node) && node.report?.role === 'leader');
  const [last] = led.sort((one, other) => (other.report?.term ?? 0) - (one.report?.term ?? 0));
  if (last === undefined) return '';
  return `${last.id}, the leader of term ${last.report?.term}, was last heard ${durationOf(last.silentMs)} ago.`;
}

function waitersSentence(picture: ClusterPicture): string {
  const waiters = waitersOf(picture);
  return waiters === null ? '' : `${waiters}.`;
}

const idsOf = (nodes: readonly HeardNode[]): readonly string[] => nodes.map(({ id }) => id);
const verb = (nodes: readonly HeardNode[], one: string, many: string): string => (nodes.length === 1 ? one : many);

function sentences(parts: readonly string[]): string | null {
  const said = parts.filter((part) => part !== '');
  return said.length === 0 ? null : said.join(' ');
}
