import type { ScenarioResult } from '../failure-scenarios.mjs';

export function withResults(page: string, results: readonly ScenarioResult[]): string;
