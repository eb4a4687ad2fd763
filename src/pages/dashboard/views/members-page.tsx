import { duration, whole } from '../../shared/format.js';
import { cardOf } from '../model/cards.js';
import type { ClusterView, NodeView } from '../model/cluster-view.js';
import { Badge } from './badge.js';
import { Command } from './command.js';

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
                {[
                  'node',
                  'address',
                  'role',
                  'votes',
                  'priority',
                  'leader says',
                  'term',
                  'last entry',
                  'trails by',
                  'release',
                  '',
                ].map((title) => (
                  <th key={title} scope="col">
                    {title === '' ? <span class="hidden-text">Inspector</span> : title}
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
  const { id, address, report, hello, isAnswering, silentMs, isOwn, trails } = node;
  const { look, badge } = cardOf(view, node);
  const member = view.nodes.flatMap((one) => one.report?.members ?? []).find((one) => one.id === id);
  return (
    <tr>
      <th scope="row">{id}</th>
      <td class="mono">{address}</td>
      <td>
        <Badge look={look} text={badge} />
      </td>
      <td>{member === undefined ? '–' : member.voter ? 'yes' : 'no'}</td>
      <td class="mono">{hello?.settings.priority ?? '–'}</td>
      <td>{statusText(view, node)}</td>
      <td class="mono">{report?.term ?? '–'}</td>
      <td class="mono">{report === null ? '–' : whole(report.log.lastIndex)}</td>
      <td class="mono">{trails === null ? '–' : whole(trails)}</td>
      <td class="mono">{hello?.release ?? '–'}</td>
      <td>
        {isAnswering ? (
          <a href={isOwn ? './inspector' : `${location.protocol}//${address}/inspector`}>
            Inspector<span class="hidden-text"> of {id}</span>
          </a>
        ) : (
          <span class="aside">{node.wasHeard ? `last heard ${duration(silentMs)} ago` : 'not heard yet'}</span>
        )}
      </td>
    </tr>
  );
}

function statusText({ leader }: ClusterView, { id, status }: NodeView): string {
  if (leader === null) return 'nobody leads';
  return leader.id === id ? 'leads' : (status ?? '–');
}
