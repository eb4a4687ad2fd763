import type { Card } from '../model/cards.js';

/** A node's role, or that it is down. */
export function Badge({ look, text }: { readonly look: Card['look']; readonly text: string }) {
  return <span class={`badge ${look}`}>{text}</span>;
}
