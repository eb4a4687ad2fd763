import { useLayoutEffect, useRef } from 'preact/hooks';
import { grouped } from '../../../report/phrases.js';
import type { Headline } from '../../../report/why.js';
import { duration, latency } from '../../shared/format.js';
import { px } from '../../shared/px.js';
import type { ClusterView } from '../model/cluster-view.js';
import { briefly, HeadlineRoom } from '../model/headline-room.js';
import { Command } from './command.js';

/** The one sentence, its causes, who waits, and the command that helps; at the right the facts in numbers. */
export function HeadlineBar({ headline, view }: { readonly headline: Headline; readonly view: ClusterView }) {
  const { tone, title, causes, waiting, starts } = headline;
  // Where one node is missing and all is served two lines are enough: the members' page has the command.
  const command = causes.length === 0 ? null : headline.command;
  const { element, isGrown, minHeight } = useRoom(headline, view.nowMs);
  return (
    <section
      ref={element}
      class={`headline ${tone} ${isGrown ? 'grown' : 'brief'}`}
      style={{ minHeight }}
      aria-label="What the cluster does"
    >
      <div class="headline-text">
        <div role={tone === 'danger' ? 'alert' : 'status'}>
          <h1>{title}</h1>
        </div>
        {isGrown ? <Causes headline={headline} /> : <Subtitle text={briefly(headline)} />}
      </div>
      <FactList view={view} />
      {isGrown && (waiting !== null || command !== null) ? (
        <div class="headline-help">
          {waiting === null ? null : <p>{withCode(waiting)}</p>}
          {command === null ? null : <Command text={command} starts={starts ?? ''} />}
        </div>
      ) : null}
    </section>
  );
}

/** Whether the headline may grow, and the height that it keeps once it has grown. */
function useRoom(headline: Headline, nowMs: number) {
  const element = useRef<HTMLElement | null>(null);
  const room = useRef<HeadlineRoom | undefined>(undefined);
  room.current ??= new HeadlineRoom();
  const kept = useRef({ width: 0, height: 0 });
  const isGrown = room.current.look(headline, nowMs);
  useLayoutEffect(() => {
    const { offsetWidth: width = 0, offsetHeight: height = 0 } = element.current ?? {};
    kept.current = { width, height: isGrown && width === kept.current.width ? height : 0 };
  });
  return { element, isGrown, minHeight: isGrown && kept.current.height > 0 ? px(kept.current.height) : undefined };
}

function Subtitle({ text }: { readonly text: string | null }) {
  return text === null ? null : <p class="headline-subtitle">{text}</p>;
}

function Causes({ headline: { subtitle, causes } }: { readonly headline: Headline }) {
  return (
    <>
      <Subtitle text={subtitle} />
      {causes.length === 0 ? null : (
        <ul class="causes">
          {causes.map(({ node, text }) => (
            <li key={node}>
              <strong>{node}</strong> <span>{text}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Codes of errors stand out. */
const withCode = (text: string) =>
  text
    .split(/\b([A-Z]+_[A-Z_]+)\b/)
    .map((part, at) => (at % 2 === 1 ? <code key={part + String(at)}>{part}</code> : part));

interface Fact {
  readonly label: string;
  readonly value: string;
  readonly unit?: string;
  readonly isBad?: boolean;
  /** Where there is room for four, as on a phone, these stand in for those that are only there where it is wide. */
  readonly room?: 'wide-only' | 'phone-only';
}

function FactList({ view }: { readonly view: ClusterView }) {
  return (
    <dl class="facts">
      {factsOf(view).map(({ label, value, unit, isBad, room }) => (
        <div key={label} class={`fact ${isBad === true ? 'danger' : ''} ${room ?? ''}`}>
          <dt>{label}</dt>
          <dd>
            <span class="mono">{value}</span>
            {unit === undefined ? null : <span class="unit">{unit}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Where nothing is committed, latencies say nothing, and who waits says more. */
function factsOf({ facts, isCommitting, leader, stuckSinceMs, nowMs }: ClusterView): readonly Fact[] {
  const { puts, reads, p50, p99, committed, waiting, uncommitted } = facts;
  const putsFact = { label: 'puts', value: numberOr(puts), unit: '/s', isBad: !isCommitting && puts === 0 };
  const committedFact = { label: 'committed', value: numberOr(committed), room: 'wide-only' } as const;
  if (isCommitting || (leader === null && committed === null)) {
    return [
      putsFact,
      { label: 'reads', value: numberOr(reads), unit: '/s' },
      { label: 'put p50', ...latencyFact(p50) },
      { label: 'p99', ...latencyFact(p99) },
      committedFact,
    ];
  }
  return [
    putsFact,
    { label: 'waiting', value: numberOr(waiting) },
    ...(leader === null ? [] : [{ label: 'not committed', value: grouped(uncommitted), room: 'phone-only' as const }]),
    ...(stuckSinceMs === null
      ? []
      : [{ label: 'for', value: duration(nowMs - stuckSinceMs), room: 'phone-only' as const }]),
    committedFact,
  ];
}

const numberOr = (value: number | null): string => (value === null ? '–' : grouped(value));

function latencyFact(ms: number | null): Pick<Fact, 'value' | 'unit'> {
  if (ms === null) return { value: '–' };
  const [value = '', unit = ''] = latency(ms).split(' ');
  return { value, unit };
}
