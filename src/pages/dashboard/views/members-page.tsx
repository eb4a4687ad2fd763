import { grouped } from '../../../report/phrases.js';
import { duration } from '../../shared/format.js';
import { cardOf } from '../model/cards.js';
import type { ClusterView, NodeView } from '../model/cluster-view.js';
import { Badge } from './badge.js';
import { Command } from './command.js';

/** A phone has room for five. */
const COLUMNS: readonly { readonly title: string; readonly room?: 'wide-only' }[] = [
  { title: 'node' },
  { title: 'address' },
  { title: 'role' },
  { title: 'votes', room: 'wide-only' },
  { title: 'priority' },
  { title: 'leader says', room: 'wide-only' },
  { title: 'term', room: 'wide-only' },
  { title: 'last entry', room: 'wide-only' },
  { title: 'trails by', room: 'wide-only' },
  { title: 'release', room: 'wide-only' },
  { title: 'inspector' },
];

/** The table of members: how each is, and where its statecharts can be watched. */
export function MembersPage({ view }: { readonly view: ClusterView }) {
  const stopped = view.nodes.filter(({ isDown, startCommand }) => isDown && startCommand !== null);
  return (
    <main class="members">
      <section class="panel" aria-labelledby="members-title">
        <header>
          <h1 id="members-title">Members</h1>
          <span class="aside">
            {view.nodes.length === 0 ? '–' : `${view.majority} of ${view.nodes.length} are a majority`}
          </span>
        </header>
        <div class="member-rows">
          <table>
            <thead>
              <tr>
                {COLUMNS.map(({ title, room }) => (
                  <th key={title} scope="col" class={room}>
                    {title === 'inspector' ? <span class="hidden-text">Inspector</span> : title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {view.nodes.map((node) => (
                <Member key={node.id} view={view} node={node} />
              ))}
            </tbody>
          </table>
        </div>
        <p class="key-foot">
          The members are those of the cluster's first start. Adding, promoting and removing members, and handing
          leadership over, is not in this version.
        </p>
      </section>
      {stopped.map(({ id, startCommand }) => (
        <section key={id} class="panel member-command" aria-label={`Start ${id} again`}>
          <Command text={startCommand ?? ''} starts={id} />
        </section>
      ))}
    </main>
  );
}

function Member({ view, node }: { readonly view: ClusterView; readonly node: NodeView }) {
  const { id, address, report, hello, isAnswering, silentMs, trails } = node;
  const { look, badge } = cardOf(view, node);
  const member = view.nodes.flatMap((one) => one.report?.members ?? []).find((one) => one.id === id);
  return (
    <tr>
      <th scope="row">{id}</th>
      <td class="mono address">{address}</td>
      <td>
        <Badge look={look} text={badge} />
      </td>
      <td class="wide-only">{member === undefined ? '–' : member.voter ? 'yes' : 'no'}</td>
      <td class="mono">{hello?.settings.priority ?? '–'}</td>
      <td class="wide-only">{statusText(view, node)}</td>
      <td class="mono wide-only">{report?.term ?? '–'}</td>
      <td class="mono wide-only">{report === null ? '–' : grouped(report.log.lastIndex)}</td>
      <td class="mono wide-only">{trails === null ? '–' : grouped(trails)}</td>
      <td class="mono wide-only">{hello?.release ?? '–'}</td>
      <td>
        {isAnswering ? (
          <a href={inspectorOf(node)} title={throughOwnText(view, node)}>
            Inspector<span class="hidden-text"> of {id}</span>
          </a>
        ) : (
          <span class="aside">{node.wasHeard ? `last heard ${duration(silentMs)} ago` : 'not heard yet'}</span>
        )}
      </td>
    </tr>
  );
}

/** Where this browser does not reach a member, the node that serves this page passes on what the member shows. */
function inspectorOf({ id, address, isOwn, isThroughOwn }: NodeView): string {
  if (isOwn) return './inspector';
  return isThroughOwn ? `./inspector?node=${encodeURIComponent(id)}` : `${location.protocol}//${address}/inspector`;
}

function throughOwnText({ nodes }: ClusterView, { address, isThroughOwn }: NodeView): string | undefined {
  if (!isThroughOwn) return undefined;
  const own = nodes.find(({ isOwn }) => isOwn)?.id ?? 'the node that serves this page';
  return `through ${own}: this browser does not reach ${address}`;
}

function statusText({ leader }: ClusterView, { id, status }: NodeView): string {
  if (leader === null) return 'nobody leads';
  return leader.id === id ? 'leads' : (status ?? '–');
}
