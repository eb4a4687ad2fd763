import { useRef } from 'preact/hooks';
import { TopBar } from '../shared/top-bar.js';
import type { Dashboard } from './dashboard.js';
import { useCluster, useHash } from './hooks.js';
import { useShortcuts } from './keyboard.js';
import { KeysPage } from './keys/keys-page.js';
import { ClusterPage, headlineOf } from './views/cluster-page.js';
import { Help } from './views/help.js';
import { MembersPage } from './views/members-page.js';
import { Status } from './views/status.js';

const PAGES = ['cluster', 'keys', 'members'] as const;
type Tab = (typeof PAGES)[number];

const tabOf = (hash: string): Tab => PAGES.find((page) => page === hash.split('/')[0]) ?? 'cluster';

export function App({ dashboard }: { readonly dashboard: Dashboard }) {
  const view = useCluster(dashboard);
  const tab = tabOf(useHash());
  const help = useRef<HTMLDialogElement | null>(null);
  const go = (to: string) => (): void => {
    location.hash = to;
  };
  useShortcuts({
    '?': () => help.current?.showModal(),
    'g c': go('cluster'),
    'g k': go('keys'),
    'g m': go('members'),
    'g i': () => location.assign('./inspector'),
  });
  return (
    <>
      <TopBar of={view.name} current={tab} pages={['cluster', 'keys', 'members', 'inspector']}>
        <Status view={view} tone={headlineOf(dashboard, view).tone} openHelp={() => help.current?.showModal()} />
      </TopBar>
      {tab === 'cluster' ? <ClusterPage dashboard={dashboard} view={view} /> : null}
      {tab === 'keys' ? <KeysPage dashboard={dashboard} view={view} /> : null}
      {tab === 'members' ? <MembersPage view={view} /> : null}
      <Help dialog={help} />
    </>
  );
}
