import { useEffect, useRef, useState } from 'preact/hooks';
import { ActorsPanel } from './actors-panel.js';
import type { PageProps } from './app.js';
import { FlowChart } from './chart/flow-chart.js';
import { NoChart } from './chart-column.js';
import { ContextPanel } from './context-panel.js';
import { EventsPanel } from './events-panel.js';
import { shortPath } from './model/state-value.js';
import { NothingYet, Trouble } from './notices.js';
import { ScrubBar } from './scrub-bar.js';

const NARROW = '(max-width: 719px)';
const TABS = ['Chart', 'Events', 'Context', 'Actors'] as const;
type Tab = (typeof TABS)[number];

/** Whether the page is as narrow as a phone. */
export function useIsNarrow(): boolean {
  const [query] = useState(() => matchMedia(NARROW));
  const [isNarrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const change = (): void => setNarrow(query.matches);
    query.addEventListener('change', change);
    return () => query.removeEventListener('change', change);
  }, [query]);
  return isNarrow;
}

/** The inspector on a phone: one part at a time, the time bar always. */
export function PhonePage({
  inspection,
  explorer,
  detail,
  picker,
  hasCluster,
}: PageProps & { readonly hasCluster: boolean }) {
  const { system, actor, position } = explorer;
  const [tab, setTab] = useState<Tab>('Chart');
  if (system === null) return <NothingYet connection={inspection.connection} problem={inspection.problem} />;
  const value = actor?.snapshotAt(position)?.value;
  return (
    <div class="inspector phone">
      <header>
        <div class="phone-bar">
          {hasCluster ? (
            <a href="./#cluster" aria-label="Cluster">
              ‹
            </a>
          ) : null}
          <h1>{actor?.id ?? 'Inspector'}</h1>
          <span class="path mono">{actor === null ? '' : shortPath(value, actor.newestLeavesAt(position), 2)}</span>
          {picker}
        </div>
        <div class="tabs" role="tablist" aria-label="Parts of the inspector">
          {TABS.map((name) => (
            <button key={name} type="button" role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>
              {name}
            </button>
          ))}
        </div>
      </header>
      <Trouble
        connection={inspection.connection}
        isConnected={system.info.connected}
        lateMs={explorer.isLive ? inspection.lateMs : 0}
      />
      <main>
        <div class="part" role="tabpanel" aria-label={tab}>
          <PhonePart
            tab={tab}
            inspection={inspection}
            explorer={explorer}
            detail={detail}
            select={() => setTab('Chart')}
          />
        </div>
      </main>
      <ScrubBar {...explorer} system={system} />
    </div>
  );
}

type PhonePartProps = Pick<PageProps, 'inspection' | 'explorer' | 'detail'> & {
  readonly tab: Tab;
  readonly select: () => void;
};

function PhonePart({ tab, explorer, detail, select }: PhonePartProps) {
  const { system, actor, position } = explorer;
  const field = useRef<HTMLInputElement>(null);
  const index = system?.machine(actor?.machine ?? null) ?? null;
  if (tab === 'Context') return <ContextPanel actor={actor} position={position} isLive={explorer.isLive} />;
  if (tab === 'Actors') {
    return (
      <ActorsPanel
        tree={explorer.tree}
        selected={actor?.actor ?? null}
        filter={explorer.actorFilter}
        filterElement={field}
        rowHeight={44}
        setFilter={explorer.setActorFilter}
        select={(chosen) => {
          explorer.chooseActor(chosen);
          select();
        }}
      />
    );
  }
  if (tab === 'Chart') {
    if (index === null || actor === null) return <NoChart actor={actor} />;
    return <FlowChart index={index} actor={actor} position={position} detail={detail} />;
  }
  return (
    <EventsPanel
      rows={explorer.rows}
      current={explorer.current}
      isLive={explorer.isLive}
      opened={explorer.opened}
      choices={{ actors: [], left: 0 }}
      actor={explorer.eventActor}
      text={explorer.eventText}
      isFilterShown
      lowestRow={44}
      filterElement={field}
      setActor={explorer.setEventActor}
      setText={explorer.setEventText}
      showFilter={() => undefined}
      open={explorer.openRow}
      pause={explorer.pause}
    />
  );
}
