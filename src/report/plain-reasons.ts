import { durationOf } from './phrases.js';

/** Puts the reason of a notice, which is written for people who know Raft, so that it can end a sentence. */
export function plainly(reason: string): string {
  return inSeconds(reason.replace('nothing from leader ', 'nothing heard from ').replace(/\.$/, ''));
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/ECONNRESET|connection was closed|socket hang up/, 'connection reset'],
  [/ECONNREFUSED/, 'connection refused'],
  [/ETIMEDOUT/, 'timed out'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no way there'],
];

/** Why a connection is not there, in two words where they say it all. */
export function linkReason(reason: string): string {
  return (
    REASONS.find(([pattern]) => pattern.test(reason))?.[1] ?? inSeconds(reason.replace(/^.* answered HTTP \d+: /, ''))
  );
}

/** `1600 ms` is `1.6 s` to people. */
const inSeconds = (text: string): string => text.replace(/\b(\d{4,}) ms\b/g, (_, ms) => durationOf(Number(ms)));
