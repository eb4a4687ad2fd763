import { createHistogram } from 'node:perf_hooks';
import { QuorateError } from '../errors/quorate-error.js';
import type { KeyValueClient } from '../key-value/client.js';

export interface Load {
  readonly op: 'put' | 'get';
  readonly inFlight: number;
  readonly seconds: number;
  /** Under the same load before that, not measured. */
  readonly warmUpSeconds: number;
  /** Size of a value, bytes. */
  readonly size: number;
  readonly keys: number;
}

export interface LoadResult {
  readonly op: 'put' | 'get';
  readonly inFlight: number;
  readonly size: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Answers OVERLOADED: nothing was done, and the operation was tried again when the node had said. */
  readonly refused: number;
  readonly failed: number;
}

const NS_PER_MS = 1e6;
const PROGRESS_MS = 1_000;
const LEAST_PAUSE_MS = 25;

/** How the load goes, once a second: for people who wait. */
export type Progress = (secondsLeft: number, opsPerSecond: number) => void;

/** How `measure` goes about a load. */
export interface MeasureOptions {
  readonly timeoutMs: number;
  readonly progress?: Progress;
  /** Ends the load early: the result is that of the time so far. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Keeps so many operations under way, each awaited by itself. The store's revision must have grown by exactly the number
 * of puts that were acknowledged, or by what is unknown more: anything else is a `problem`, if nobody else wrote meanwhile.
 */
export async function measure(
  client: KeyValueClient,
  load: Load,
  { timeoutMs, progress = () => undefined, signal }: MeasureOptions,
): Promise<{ readonly result: LoadResult; readonly problem: string | undefined }> {
  const { op, inFlight, seconds, warmUpSeconds, size, keys } = load;
  const isStopped = (): boolean => signal?.aborted === true;
  const value = new Uint8Array(size).fill(120);
  const keyOf = (n: number): string => `bench/${String(n % keys).padStart(8, '0')}`;
  if (op === 'get') await fill(client, { keyOf, value, count: Math.min(keys, 10_000), isStopped });
  const before = await revisionOf(client);
  const latency = createHistogram();
  const startMs = performance.now();
  const measuredFrom = startMs + warmUpSeconds * 1_000;
  const endMs = measuredFrom + seconds * 1_000;
  // A refusal is seen here, and not waited out by the client: latencies are those of operations that were taken.
  const options = { timeoutMs, waitsOutOverload: false };
  let next = 0;
  let measured = 0;
  let refused = 0;
  let failed = 0;
  let acknowledged = 0;
  let unknown = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const sentMs = performance.now();
      if (sentMs >= endMs || isStopped()) return;
      const key = keyOf(next++);
      try {
        if (op === 'put') await client.put(key, value, options);
        else await client.get(key, options);
        acknowledged += 1;
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        if (error.code === 'QUORATE_OVERLOADED') {
          refused += 1;
          await pause(Math.min(endMs - performance.now(), spread(error.retryAfterMs)));
          continue;
        }
        failed += 1;
        if (error.code === 'QUORATE_OUTCOME_UNKNOWN') unknown += 1;
        continue;
      }
      const doneMs = performance.now();
      if (sentMs < measuredFrom || doneMs > endMs) continue;
      measured += 1;
      latency.record(Math.max(1, Math.round((doneMs - sentMs) * NS_PER_MS)));
    }
  };
  let told = 0;
  const telling = setInterval(() => {
    progress(Math.max(0, Math.ceil((endMs - performance.now()) / 1_000)), acknowledged - told);
    told = acknowledged;
  }, PROGRESS_MS);
  await Promise.all(Array.from({ length: inFlight }, worker)).finally(() => clearInterval(telling));
  const measuredSeconds = Math.min(seconds, (performance.now() - measuredFrom) / 1_000);
  // A load may be stopped because the cluster is gone: what was measured is the answer all the same.
  const grown = (await revisionOf(client).catch((error: unknown) => refuseUnless(isStopped(), error))) - before;
  const wanted = op === 'put' ? acknowledged : 0;
  const isRight = Number.isNaN(grown) || (grown >= wanted && grown <= wanted + unknown);
  const quantile = (percent: number): number => Number((latency.percentile(percent) / NS_PER_MS).toFixed(3));
  return {
    result: {
      op,
      inFlight,
      size,
      opsPerSecond: measured === 0 ? 0 : Math.round(measured / measuredSeconds),
      p50Ms: quantile(50),
      p99Ms: quantile(99),
      p999Ms: quantile(99.9),
      refused,
      failed,
    },
    problem: isRight
      ? undefined
      : `the revision grew by ${grown} with ${wanted} acknowledged writes and ${unknown} unknown: does somebody else write?`,
  };
}

/** Once and a half as long at the most, so that those that were refused together do not come again together. */
const spread = (retryAfterMs = LEAST_PAUSE_MS): number =>
  Math.max(LEAST_PAUSE_MS, retryAfterMs) * (1 + Math.random() / 2);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** Not a number, where that may be; else the error is thrown. */
function refuseUnless(isAllowed: boolean, error: unknown): number {
  if (isAllowed) return Number.NaN;
  throw error;
}

async function revisionOf(client: KeyValueClient): Promise<number> {
  return (await client.list({ prefix: 'bench/', limit: 1 })).revision;
}

async function fill(
  client: KeyValueClient,
  {
    keyOf,
    value,
    count,
    isStopped,
  }: { keyOf: (n: number) => string; value: Uint8Array; count: number; isStopped: () => boolean },
): Promise<void> {
  const atOnce = 500;
  for (let from = 0; from < count && !isStopped(); from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => client.put(keyOf(from + at), value));
    await Promise.all(some);
  }
}
