import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePorts } from '../node/real-nodes.js';

export interface ProcessStatus {
  readonly role: string;
  readonly serving: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly lastApplied: number;
  readonly lastIndex: number;
}

export interface ProposeOutcome {
  readonly proposed: string;
  readonly outcome: string;
}

interface Report {
  readonly ids: readonly string[];
  readonly hash: string;
}

interface Member {
  child: ChildProcess;
  readonly calls: Map<number, (answer: unknown) => void>;
  /** Resolves to the reason once the node has halted. */
  readonly halted: Promise<string>;
}

const PROGRAM = path.resolve('test/cluster/append-ids-node.mjs');

const nextTurn = (): Promise<undefined> => new Promise((resolve) => setImmediate(() => resolve(undefined)));

/** Three processes, each a node whose state machine appends ids; they can be killed, and started again on their data. */
export class ProcessCluster {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-processes-'));
  readonly ids = ['n1', 'n2', 'n3'] as const;
  readonly #members = new Map<string, Member>();
  #peers: Readonly<Record<string, string>> = {};
  #calls = 0;

  async start(): Promise<void> {
    const ports = await freePorts(this.ids.length);
    this.#peers = Object.fromEntries(this.ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
    await Promise.all(this.ids.map((id) => this.run(id)));
  }

  /** Starts a node's process, with these variables beside our own; resolves when it follows. */
  async run(id: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const env = { ...process.env, ...variables };
    const args = [id, JSON.stringify(this.#peers), path.join(this.directory, id)];
    const child = fork(PROGRAM, args, { execArgv: [], env });
    const halted = new Promise<string>((resolve) => {
      child.on('message', ({ halted: reason }: { halted?: string }) => reason !== undefined && resolve(reason));
    });
    const member: Member = { child, calls: new Map(), halted };
    this.#members.set(id, member);
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: { ready?: boolean; call?: number }) => {
        if (message.ready === true) resolve();
        if (message.call === undefined) return;
        member.calls.get(message.call)?.(message);
        member.calls.delete(message.call);
      });
      child.once('exit', (code, signal) => {
        reject(new Error(`${id} ended with ${code ?? signal}`));
        // Whoever waits for an answer of a dead process hears nothing but that.
        for (const answer of member.calls.values()) answer(undefined);
        member.calls.clear();
      });
    });
  }

  /** kill -9; resolves when the process is gone. */
  async kill(id: string): Promise<void> {
    const { child } = this.#members.get(id) as Member;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Closes the node, whether or not it has halted; resolves when its process is gone. */
  async stop(id: string): Promise<void> {
    const { child } = this.#members.get(id) as Member;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    void this.#call(id, { kind: 'close' });
    await gone;
  }

  /** The reason for which the node of this process halts, once it has. */
  halted(id: string): Promise<string> {
    return (this.#members.get(id) as Member).halted;
  }

  /** Its state machine forgets the newest id, as if it had left out a command. */
  async forget(id: string): Promise<void> {
    await this.#call(id, { kind: 'forget' });
  }

  isUp(id: string): boolean {
    const child = this.#members.get(id)?.child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get up(): readonly string[] {
    return this.ids.filter((id) => this.isUp(id));
  }

  /** Undefined where the process died before it answered: nothing is known then. */
  async propose(id: string, ids: readonly string[]): Promise<readonly ProposeOutcome[] | undefined> {
    const answer = (await this.#call(id, { kind: 'propose', ids })) as { outcomes: ProposeOutcome[] } | undefined;
    return answer?.outcomes;
  }

  async status(id: string): Promise<ProcessStatus | undefined> {
    return (await this.#call(id, { kind: 'status' })) as ProcessStatus | undefined;
  }

  async report(id: string): Promise<Report> {
    return (await this.#call(id, { kind: 'report' })) as Report;
  }

  /** The node that leads and serves, once one does. */
  async leader(): Promise<string> {
    for (;;) {
      for (const id of this.up) if ((await this.status(id))?.serving === true) return id;
      await nextTurn();
    }
  }

  /** Resolves when all that run have applied all that there is. */
  async allApplied(): Promise<void> {
    for (;;) {
      const statuses = await Promise.all(this.up.map((id) => this.status(id)));
      const leader = statuses.find((status) => status?.serving === true);
      if (leader !== undefined && statuses.every((status) => status?.lastApplied === leader.lastIndex)) return;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.up.map((id) => this.kill(id)));
    rmSync(this.directory, { recursive: true, force: true });
  }

  #call(id: string, request: object): Promise<unknown> {
    const member = this.#members.get(id);
    if (member === undefined || !this.isUp(id)) return nextTurn();
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve) => {
      member.calls.set(call, resolve);
      member.child.send({ call, ...request }, (error) => {
        // Its end may not have been told yet: whoever asks again at once would keep it from ever being told.
        if (error !== null && error !== undefined) nextTurn().then(resolve);
      });
    });
  }
}
