import Table from 'cli-table3';
import type { Command } from 'commander';
import { Option } from 'commander';
import { TOP_PRIORITY } from '../raft/settings.js';
import type { NodeStatus } from '../replica/status.js';
import { receivingWords } from '../report/snapshot-words.js';
import type { ClientFlags } from './client-flags.js';
import { clientOptions, withClientFlags } from './client-flags.js';
import { getDocument } from './exchange.js';
import { asFailure, CommandFailure, EXIT } from './exit.js';
import { askFirst } from './first-endpoint.js';
import { watch, why } from './status-watch.js';

interface Row {
  readonly id: string;
  readonly address: string;
  readonly status: NodeStatus | null;
  readonly ready: boolean;
  /** Why it is not ready, in the node's words; null where it is ready or does not answer. */
  readonly why: string | null;
  /** That reason's code, as NO_QUORUM. */
  readonly code: string | null;
}

const STATUS = '/v1/status';

export function addStatusCommand(program: Command): void {
  withClientFlags(program.command('status'))
    .description("show every node's role, term, commit and applied index, and what it trails the leader by")
    .addOption(
      new Option(
        '--why',
        'say in words who leads, or why nobody does, what failed, who waits and what helps (--watch says it, too)',
      ).conflicts('watch'),
    )
    .option(
      '--watch',
      'the cluster as a picture in text, drawn again whenever something changes; with --json a line for each change',
    )
    .action(async (flags: ClientFlags & { watch?: boolean; why?: boolean }) => {
      if (flags.watch === true) return watch(flags);
      if (flags.why === true) return why(flags);
      const rows = await collect(flags);
      print(flags, rows);
      const problem = problemWithCluster(rows);
      if (problem !== undefined) throw problem;
    });
}

/** Asks the first endpoint that answers who the members are, and then each of them. */
async function collect(flags: ClientFlags): Promise<readonly Row[]> {
  const options = clientOptions(flags);
  const first = await askFirst(options, async (endpoint, ms) => {
    return { endpoint, status: await getDocument<NodeStatus>(endpoint, STATUS, ms) };
  });
  const timeoutMs = Math.min(options.timeoutMs, 1_000);
  return Promise.all(
    first.status.members.map(async ({ id, address }) => {
      const direct = await askMember(id, address, '', timeoutMs);
      if (direct.status !== null) return direct;
      // An address may be one that only the nodes can reach, as in a network of containers.
      return await askMember(id, address, `?node=${encodeURIComponent(id)}`, timeoutMs, first.endpoint);
    }),
  );
}

/** Asks `endpoint` about the member, which stands behind the address or behind another node. */
async function askMember(
  id: string,
  address: string,
  query: string,
  timeoutMs: number,
  endpoint = address,
): Promise<Row> {
  const answer = await getDocument<NodeStatus>(endpoint, `${STATUS}${query}`, timeoutMs).catch(() => null);
  const status = answer?.id === id ? answer : null;
  const refusal = await getDocument(endpoint, `/health/ready${query}`, timeoutMs).then(
    () => null,
    (error: unknown) => asFailure(error),
  );
  const { message: why = null, code = null } = (status === null ? null : refusal) ?? {};
  return { id, address, status, ready: status !== null && refusal === null, why, code };
}

/** Without a leader that reaches a majority nobody can write: for scripts that is a failure. */
function problemWithCluster(rows: readonly Row[]): CommandFailure | undefined {
  if (rows.some(({ status, ready }) => status?.role === 'leader' && ready)) return undefined;
  const { why, code } = rows.find((row) => row.why !== null) ?? { why: null, code: null };
  return new CommandFailure(
    EXIT.failed,
    code ?? 'NO_LEADER',
    `no write can succeed now: ${why ?? 'no node leads that is ready'}; "quorate status --why" says what helps`,
  );
}

function print(flags: ClientFlags, rows: readonly Row[]): void {
  if (flags.json) {
    for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
    return;
  }
  const leader = rows.find(({ status }) => status?.role === 'leader')?.status;
  const table = new Table({
    head: ['node', 'address', 'role', 'term', 'commit', 'applied', 'trails leader by', 'health'],
    style: { head: [], border: [] },
  });
  for (const { id, address, status, ready } of rows) {
    if (status === null) table.push([id, address, '-', '-', '-', '-', '-', 'does not answer']);
    else {
      const { role, term, commitIndex, lastApplied } = status;
      const behind = leader === undefined || leader === null ? '-' : Math.max(0, leader.commitIndex - lastApplied);
      // Nodes of an older version tell none.
      const isLow = status.priority < TOP_PRIORITY;
      const roleText = isLow ? `${role} (priority ${status.priority})` : role;
      table.push([id, address, roleText, term, commitIndex, lastApplied, behind, ready ? 'ready' : 'not ready']);
    }
  }
  process.stdout.write(`${table.toString()}\n`);
  for (const { id, why, status } of rows) {
    if (why !== null) process.stdout.write(`${id} is not ready: ${why}\n`);
    // Nodes of an older version tell none.
    if (status?.receiving) process.stdout.write(`${id} ${receivingWords(status.receiving)}\n`);
  }
}
