import type { FetchProblem, SnapshotFetchError } from '../src/seams/snapshot-source.js';

export const fetchError = (problem: FetchProblem, message: string): SnapshotFetchError =>
  Object.assign(new Error(message), { problem });
