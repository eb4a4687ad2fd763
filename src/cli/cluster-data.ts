import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { holderOf } from '../log/directory-lock.js';
import { unusable } from '../log/log-failures.js';
import { makeDirectories } from '../log/node-disk.js';
import type { DiskError } from '../seams/disk.js';
import { usage } from './exit.js';

export function makeDirectory(data: string): void {
  try {
    makeDirectories(path.resolve(data));
    accessSync(data, constants.W_OK);
  } catch (error) {
    throw usage(`--data: ${unusable(data, error as DiskError).message}`);
  }
}

/** A cluster's members are those of its first start, and each has what it promised in its directory. */
export function refuseOtherCluster(data: string, ids: readonly string[]): void {
  const kept = readdirSync(data).filter((name) => membersOf(data, name) !== undefined);
  const members = kept.map((name) => membersOf(data, name)).find((found) => found !== undefined);
  if (members === undefined) return;
  const another = 'take another --data';
  if (members.length !== ids.length)
    throw usage(
      `${data} holds a cluster of ${members.length} nodes: start it with --nodes ${members.length}, or ${another}`,
    );
  const stranger = members.find((id) => !ids.includes(id));
  if (stranger !== undefined)
    throw usage(`${data} holds a cluster with a node ${stranger}, which "quorate serve" starts: ${another}`);
  const missing = ids.filter((id) => !kept.includes(id));
  if (missing.length === 0) return;
  throw usage(
    `${data} lacks the data of ${missing.join(', ')}, and has that of ${kept.join(', ')}: put it back, for a node without its log has ` +
      `forgotten its votes; if this cluster never was ready, remove ${data}; or ${another}`,
  );
}

/** The processes that run these nodes now, as the locks in their directories say. */
export function runningNodes(data: string, ids: readonly string[]): readonly { id: string; pid: number }[] {
  return ids.flatMap((id) => {
    const pid = holderOf(path.join(data, id));
    return pid === undefined ? [] : [{ id, pid }];
  });
}

/** The ids that a node's directory knows of; undefined where it is none. */
function membersOf(data: string, id: string): readonly string[] | undefined {
  const identity = readJson(path.join(data, id, 'identity.json'));
  return identity?.nodeId === id ? Object.keys(Object(identity.members)) : undefined;
}

function readJson(file: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
