import type { MemberReport, NodeReport } from '../../../report/node-report.js';

/** A report with when it was made, by the browser's clock. */
export interface TimedReport {
  readonly atMs: number;
  readonly report: NodeReport;
}

const KEPT_MS = 1_500;

/** The reports of the last moments, with the newest. */
export function withNewest(recent: readonly TimedReport[], newest: TimedReport): readonly TimedReport[] {
  return [...recent.filter(({ atMs }) => atMs < newest.atMs && newest.atMs - atMs < KEPT_MS), newest];
}

/**
 * A node's newest report, but with its log as it was at `atMs`. Nodes report at different times, and in the tenth of a second between
 * two reports a busy log grows by a thousand entries: only logs of one moment can be compared.
 */
export function reportAt(recent: readonly TimedReport[], atMs: number): NodeReport | null {
  const newest = recent.at(-1);
  if (newest === undefined) return null;
  const after = recent.find((one) => one.atMs >= atMs) ?? newest;
  const before = recent.findLast((one) => one.atMs <= atMs) ?? after;
  const between = mix(before, after, atMs);
  return {
    ...newest.report,
    log: between.log,
    members: newest.report.role === 'leader' ? between.members : newest.report.members,
  };
}

function mix(before: TimedReport, after: TimedReport, atMs: number): NodeReport {
  const one = before.report;
  const other = after.report;
  const share = after.atMs === before.atMs ? 1 : (atMs - before.atMs) / (after.atMs - before.atMs);
  if (share >= 1 || one.term !== other.term || one.role !== other.role || one.log.lastIndex > other.log.lastIndex)
    return other;
  const between = (from: number, to: number): number => Math.round(from + (to - from) * share);
  const lastIndex = between(one.log.lastIndex, other.log.lastIndex);
  const log = {
    ...other.log,
    lastIndex,
    durableIndex: between(one.log.durableIndex, other.log.durableIndex),
    commitIndex: between(one.log.commitIndex, other.log.commitIndex),
    appliedIndex: between(one.log.appliedIndex, other.log.appliedIndex),
  };
  return { ...other, log, members: other.members.map((member) => mixMember(one.members, member, between)) };
}

function mixMember(
  before: readonly MemberReport[],
  member: MemberReport,
  between: (from: number, to: number) => number,
): MemberReport {
  const earlier = before.find(({ id }) => id === member.id)?.matchIndex ?? null;
  if (earlier === null || member.matchIndex === null || earlier > member.matchIndex) return member;
  return { ...member, matchIndex: between(earlier, member.matchIndex) };
}
