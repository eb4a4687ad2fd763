import { noteApplied, noteDurable, noteLeaderDurable } from '../../src/raft/commit.js';
import { rule } from './rule.js';

export const commitActions = {
  noteDurable: rule('log.durable', (state, { written }) => noteDurable(state, written)),
  noteLeaderDurable: rule('log.durable', (state, { written }) => noteLeaderDurable(state, written)),
  noteApplied: rule('log.applied', (state, { entries, results }) => noteApplied(state, entries, results)),
};
