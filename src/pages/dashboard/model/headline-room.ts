import type { Headline } from '../../../report/why.js';

/** A trouble that ends sooner changes the words and moves nothing. */
const LASTS_MS = 1_000;
/** The room stays for so long after a trouble: of two nodes that come and go, each time needs it again. */
const KEPT_MS = 5_000;

/** Decides when the headline may grow into causes and a command, which moves everything below it. */
export class HeadlineRoom {
  #troubledSinceMs: number | null = null;
  #troubledMs = Number.NEGATIVE_INFINITY;
  #isGrown = false;

  /** To be told of every headline; true while it may take more than its usual two lines. */
  look(headline: Headline, nowMs: number): boolean {
    if (isTrouble(headline)) {
      this.#troubledSinceMs ??= nowMs;
      this.#troubledMs = nowMs;
      if (nowMs - this.#troubledSinceMs >= LASTS_MS) this.#isGrown = true;
    } else {
      this.#troubledSinceMs = null;
      if (nowMs - this.#troubledMs >= KEPT_MS) this.#isGrown = false;
    }
    return this.#isGrown;
  }
}

const isTrouble = ({ tone, causes }: Headline): boolean => tone !== 'accent' || causes.length > 0;

/** The one line under the title while there is no room for more. */
export function briefly({ subtitle, causes }: Headline): string | null {
  if (causes.length === 0) return subtitle;
  return causes.map(({ node, text }) => `${node} ${text}`).join('; ');
}
