import { useEffect, useState } from 'preact/hooks';
import { keyText } from './key-text.js';
import type { Consistency, KvClient } from './kv-client.js';
import { MOST_PREFIXES, prefixesAbove, prefixesUnder } from './prefixes.js';

interface PrefixTreeProps {
  readonly client: KvClient;
  readonly prefix: string;
  readonly consistency: Consistency;
  readonly version: number;
  readonly go: (prefix: string) => void;
}

/** The tree of prefixes of keys, up to each slash: open along the way to the prefix that is shown. */
export function PrefixTree({ client, prefix, consistency, version, go }: PrefixTreeProps) {
  const [children, setChildren] = useState<Children>(new Map());
  useEffect(() => {
    let isCurrent = true;
    const firstKey = async (under: string, after: string | null): Promise<string | null> => {
      const answer = await client.firstKey(under, after, consistency);
      if (!isCurrent) return null;
      if (!answer.ok) throw new Error(answer.failure.message);
      return answer.value;
    };
    for (const above of [...prefixesAbove(prefix), prefix]) {
      const note = (found: readonly string[] | null): void => {
        if (isCurrent) setChildren((old) => new Map(old).set(above, found));
      };
      prefixesUnder(above, firstKey).then(note, () => note(null));
    }
    return () => {
      isCurrent = false;
    };
  }, [client, prefix, consistency, version]);
  const up = prefixesAbove(prefix).at(-1);
  return (
    <nav class="prefixes" aria-label="Prefixes">
      <header>
        <h2>Prefixes</h2>
        <button type="button" class="plain-button" disabled={up === undefined} onClick={() => go(up ?? '')}>
          <span class="key" aria-hidden="true">
            ←
          </span>{' '}
          up
        </button>
      </header>
      <Level of="" depth={0} shown={prefix} children={children} go={go} />
    </nav>
  );
}

/** By prefix, those below it; null where they could not be read. */
type Children = ReadonlyMap<string, readonly string[] | null>;

interface LevelProps {
  readonly of: string;
  readonly depth: number;
  readonly shown: string;
  readonly children: Children;
  readonly go: (prefix: string) => void;
}

function Level({ of, depth, shown, children, go }: LevelProps) {
  const read = children.get(of);
  const found = read ?? [];
  return (
    <ul>
      {found.map((prefix) => (
        <li key={prefix}>
          <button
            type="button"
            class="prefix mono"
            style={{ paddingLeft: `${10 + depth * 15}px` }}
            aria-current={prefix === shown ? 'true' : undefined}
            onClick={() => go(prefix)}
          >
            {keyText(prefix.slice(of.length))}
          </button>
          {shown.startsWith(prefix) ? (
            <Level of={prefix} depth={depth + 1} shown={shown} children={children} go={go} />
          ) : null}
        </li>
      ))}
      {read === null ? <li class="nothing">could not be read</li> : null}
      {found.length >= MOST_PREFIXES ? <li class="nothing">and more</li> : null}
    </ul>
  );
}
