import type { Card, Vote } from '../model/cards.js';
import { Badge } from './badge.js';

type Place = Record<'left' | 'top' | 'width' | 'height', string>;

interface NodeCardProps {
  readonly card: Card;
  readonly style: Place;
  readonly size: 'large' | 'middle' | 'small';
}

/** The attributes that others' scripts rely on. */
export function contractOf({ id, role, term, state, isUp }: Card) {
  return {
    'data-node': id,
    'data-role': role,
    'data-term': term ?? '',
    'data-state': state ?? '',
    'data-up': String(isUp),
  };
}

export function NodeCard({ card, style, size }: NodeCardProps) {
  const { id, look, badge, line, facts, words, votes } = card;
  const shown = size === 'middle' ? facts.slice(votes.length > 0 || facts.length < 2 ? 0 : 1) : facts;
  return (
    <article class={`node ${look} ${size}`} style={style} aria-label={`${id}, ${badge}`} {...contractOf(card)}>
      <div class="node-head">
        <h3>{id}</h3>
        <Badge look={look} text={badge} />
      </div>
      {size === 'small' ? null : (
        <>
          {size === 'middle' && votes.length > 0 ? null : <p class="node-line mono">{fitted(line, size)}</p>}
          <dl>
            {shown.map(({ label, value, tone, tip }) => (
              <div key={label} title={tip}>
                <dt>{label}</dt>
                <dd class={`mono ${tone ?? ''}`}>{value}</dd>
              </div>
            ))}
          </dl>
          {words === null || (size === 'middle' && look !== 'halted' && look !== 'waits') ? null : (
            <p class="node-words">{words}</p>
          )}
          {votes.length === 0 ? null : <Votes votes={votes} isMiddle={size === 'middle'} />}
        </>
      )}
      <Timer card={card} />
    </article>
  );
}

/** Most characters of a line that have room on a card. */
const ROOM = { large: 21, middle: 18 } as const;

/** Words go before the term's number would be cut. */
function fitted(line: string, size: keyof typeof ROOM): string {
  const short = size === 'middle' ? line.replace(/^active\./, '').replace(', term', ' of') : line;
  const shorter = short.length > ROOM[size] ? short.replace(', term', ' of') : short;
  return shorter.length > ROOM[size] ? shorter.replace(/^was /, '') : shorter;
}

const SIGNS: Readonly<Record<Vote['answer'], string>> = { granted: '✓', asked: '…', none: '×' };
const WORDS: Readonly<Record<Vote['answer'], string>> = { granted: 'granted', asked: 'asked', none: 'none' };

function Votes({ votes, isMiddle }: { readonly votes: readonly Vote[]; readonly isMiddle: boolean }) {
  if (isMiddle && votes.length > 3) {
    const granted = votes.filter(({ answer }) => answer === 'granted').length;
    return <p class="votes">{`${granted} of ${Math.floor(votes.length / 2) + 1} votes`}</p>;
  }
  return (
    <div class="votes">
      {votes.length > 3 ? null : <span class="votes-label">votes</span>}
      {votes.map(({ id, answer }) => (
        <span key={id} class={`vote ${answer}`}>
          {id} <span aria-hidden="true">{SIGNS[answer]}</span>
          <span class="hidden-text">{WORDS[answer]}</span>
        </span>
      ))}
    </div>
  );
}

export function Timer({ card: { timer } }: { readonly card: Card }) {
  if (timer === null) return null;
  return (
    <div class={timer.isShort ? 'timer short' : 'timer'} aria-hidden="true">
      <div class="timer-rest" style={{ transform: `scaleX(${timer.share.toFixed(3)})` }} />
    </div>
  );
}
