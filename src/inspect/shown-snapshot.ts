import { sanitize } from './sanitize.js';
import type { InspectionSnapshot } from './stream.js';

/** The properties of XState's snapshots of all kinds of actors. */
export interface AnySnapshot {
  readonly status: InspectionSnapshot['status'];
  readonly value?: unknown;
  readonly context?: unknown;
  readonly tags?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
}

/** A snapshot as viewers may see it. A user's getter that throws is shown as what it threw. */
export function shownSnapshot({ status, value, context, tags, output, error }: AnySnapshot): InspectionSnapshot {
  const shownTags = tags instanceof Set || Array.isArray(tags) ? [...tags].map(String) : [];
  return {
    status,
    value: value ?? null,
    context: shown(context) ?? null,
    ...(shownTags.length === 0 ? {} : { tags: shownTags }),
    ...(output === undefined ? {} : { output: shown(output) }),
    ...(error === undefined ? {} : { error: shown(error) }),
  };
}

export function shownEvent(event: { readonly type: string }): { readonly type: string } {
  const parts = shown(event);
  return { ...(typeof parts === 'object' ? parts : {}), type: String(event.type) };
}

function shown(value: unknown): unknown {
  try {
    return sanitize(value);
  } catch (error) {
    return `(cannot be shown: ${String(error)})`;
  }
}

/** Whether two state values say the same. XState makes a new object for most events that change none. */
export function isSameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const keys = Object.keys(a);
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return keys.length === Object.keys(b).length && keys.every((key) => isSameValue(left[key], right[key]));
}
