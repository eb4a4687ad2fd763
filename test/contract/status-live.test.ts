import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '../waiting/conditions.js';
import { ServedProcesses } from './served-process.js';

const MAIN = path.resolve('dist/src/cli/main.js');

interface Line {
  readonly type: string;
  readonly headline: { readonly tone: string; readonly title: string };
  readonly nodes: readonly {
    readonly id: string;
    readonly answers: boolean;
    readonly report: { readonly role: string };
  }[];
  readonly text: string;
}

describe('the cluster as it is, from the streams of its nodes', () => {
  let served: ServedProcesses;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    served = await ServedProcesses.start('abc');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => served.close());

  function quorate(...args: readonly string[]) {
    const endpoints = `${served.address('a')},${served.address('b')}`;
    const child = spawn(process.execPath, [MAIN, ...args, '--endpoints', endpoints], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '1' },
    });
    children.push(child);
    const output = { text: '', child };
    child.stdout.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
    return output;
  }
  const kill = async (id: string): Promise<void> => {
    process.kill(served.pid(id), 'SIGKILL');
    await until(() => !served.isUp(id));
  };
  const linesOf = ({ text }: { readonly text: string }): readonly Line[] => {
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  };
  const run = async (...args: readonly string[]): Promise<{ code: number | null; text: string }> => {
    const output = quorate(...args);
    const code = await new Promise<number | null>((resolve) => output.child.once('close', resolve));
    return { code, text: output.text };
  };

  test('goes on from all three to none: what --why says, and what --watch draws and streams', async () => {
    const streamed = quorate('status', '--watch', '--json');
    const drawn = quorate('status', '--watch');
    const healthy = (title: string): boolean => /^[abc] leads and serves\. All three nodes answer\.$/.test(title);
    await until(() => linesOf(streamed).some(({ headline }) => headline !== undefined && healthy(headline.title)));
    await until(() => /leads and serves\. All three nodes answer\./.test(drawn.text));
    const all = await run('status', '--why');
    expect([all.code, healthy(all.text.split('\n')[0] as string)]).toEqual([0, true]);
    expect(all.text).not.toContain('\u001b');
    expect(
      linesOf(streamed)
        .find(({ type }) => type === 'cluster')
        ?.nodes.map(({ id }) => id),
    ).toEqual(['a', 'b', 'c']);
    expect(linesOf(streamed).some(({ type, text }) => type === 'news' && text.includes('leads in term'))).toBe(true);

    await kill('c');
    const lastOf = (): Line | undefined => linesOf(streamed).findLast(({ type }) => type === 'cluster');
    await until(() => /^c is down\. [ab] leads and serves with [ab]\.$/.test(lastOf()?.headline.title ?? ''));
    await until(() => drawn.text.includes('c is down.'));

    await kill('b');
    await until(() => lastOf()?.headline.tone === 'danger' && lastOf()?.nodes[1]?.answers === false);
    const none = await run('status', '--why');
    expect(none.code).toBe(1);
    expect(none.text).toMatch(/2 of 3 voters must (answer|vote), and only a (does|can)\./);
    expect(none.text).toMatch(/ {2}b {2}.*connection refused at /);
    const told = JSON.parse((await run('status', '--why', '--json')).text) as Line['headline'];
    expect(told).toMatchObject({ tone: 'danger', command: expect.stringContaining(' serve --id ') });

    await kill('a');
    await until(() =>
      /^No node answers since .*; shown is what was last heard\.$/.test(lastOf()?.headline.title ?? ''),
    );
    const gone = await run('status', '--why');
    expect([gone.code, gone.text.split('\n')[0]]).toEqual([1, 'No node answers.']);

    for (const id of 'abc') served.run(id);
    await until(() => healthy(lastOf()?.headline.title ?? ''));
    expect(streamed.child.exitCode).toBeNull();
  }, 180_000);
});
