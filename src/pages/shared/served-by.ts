/** The server of this page: a node of a cluster, or `quorate inspector`, which knows of no cluster. */
export type ServedBy = 'node' | 'inspector';

export function servedBy(): ServedBy {
  return document.documentElement.dataset.servedBy === 'inspector' ? 'inspector' : 'node';
}
