import { solicitAgain, startElection, voteDurable } from '../../src/raft/elections.js';
import { notice, rule, ruleOfState } from './rule.js';

export const electionActions = {
  startElection: rule('election.timedOut', (state, { reason }) => startElection(state, reason)),
  solicitAgain: ruleOfState((state) => solicitAgain(state)),
  recordOwnVote: rule('vote.durable', (state, vote) => voteDurable(state, vote)),
  announceElection: notice('election.ended', (ended) => ended),
};
