import './top-bar.css';
import type { ComponentChildren } from 'preact';

export type PageName = 'cluster' | 'keys' | 'members' | 'inspector';

export interface TopBarProps {
  /** The cluster's name, or the program that is inspected. */
  readonly of: string | null;
  readonly current: PageName;
  /** Only those that are there: `quorate inspector` alone has no cluster. */
  readonly pages: readonly PageName[];
  readonly children?: ComponentChildren;
}

/** Relative: a node's routes may be mounted under a prefix. */
const PAGES: Readonly<Record<PageName, { readonly title: string; readonly href: string }>> = {
  cluster: { title: 'Cluster', href: './#cluster' },
  keys: { title: 'Keys', href: './#keys' },
  members: { title: 'Members', href: './#members' },
  inspector: { title: 'Inspector', href: './inspector' },
};

/** The bar at the top of every page; `children` are what stands at its right. */
export function TopBar({ of, current, pages, children }: TopBarProps) {
  return (
    <header class="top-bar">
      <div class="brand">
        <Mark />
        <strong>Quorate</strong>
        {of === null ? null : <span>{of}</span>}
      </div>
      {pages.length > 1 ? (
        <nav aria-label="Pages">
          {pages.map((page) => (
            <a key={page} href={PAGES[page].href} aria-current={page === current ? 'page' : undefined}>
              {PAGES[page].title}
            </a>
          ))}
        </nav>
      ) : null}
      <div class="right">{children}</div>
    </header>
  );
}

/** Three nodes, one of which leads. */
function Mark() {
  return (
    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none" stroke="currentColor">
      <path d="M9 4.5 4 13M9 4.5 14 13" stroke-width="1.6" />
      <circle cx="9" cy="4" r="2.6" fill="var(--accent)" stroke="none" />
      <circle cx="3.6" cy="13.6" r="2.1" stroke-width="1.6" fill="var(--surface)" />
      <circle cx="14.4" cy="13.6" r="2.1" stroke-width="1.6" fill="var(--surface)" />
    </svg>
  );
}
