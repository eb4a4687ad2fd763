import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Dashboard } from './dashboard.js';
import type { ClusterView } from './model/cluster-view.js';
import type { Size } from './model/positions.js';

/** The cluster at this moment; the component is drawn anew whenever that may have changed. */
export function useCluster(dashboard: Dashboard): ClusterView {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => dashboard.onDraw(() => setNowMs(Date.now())), [dashboard]);
  return dashboard.model.view(nowMs);
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = (): void => setHolds(list.matches);
    list.addEventListener('change', look);
    return () => list.removeEventListener('change', look);
  }, [query]);
  return holds;
}

/** The size of an element's content, followed while it changes; null before it is known. */
export function useSize(): readonly [RefObject<HTMLDivElement | null>, Size | null] {
  const element = useRef<HTMLDivElement | null>(null);
  const [size, setSize] = useState<Size | null>(null);
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    const observer = new ResizeObserver(() => setSize({ width: watched.clientWidth, height: watched.clientHeight }));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  return [element, size];
}

/** The part of the page's address behind #. */
export function useHash(): string {
  const [hash, setHash] = useState(() => location.hash.slice(1));
  useEffect(() => {
    const look = (): void => setHash(location.hash.slice(1));
    addEventListener('hashchange', look);
    return () => removeEventListener('hashchange', look);
  }, []);
  return hash;
}
