import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const bin = (name: string): string => path.resolve('node_modules/.bin', name);

export function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The package as it is published, and projects of somebody's that install it. */
export class PackedPackage {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'quorate-package-'));
  readonly tarball: string;

  /** Without its scripts: the test command has built what is packed. */
  constructor() {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', this.directory];
    const [packed] = JSON.parse(run('npm', args, path.resolve('.'))) as { filename: string }[];
    this.tarball = path.join(this.directory, packed?.filename ?? '');
  }

  /** A project with the package in it, beside these other ones. Returns its directory. */
  install(name: string, others: readonly string[] = [], flags: readonly string[] = []): string {
    const project = path.join(this.directory, name);
    mkdirSync(project);
    writeFileSync(path.join(project, 'package.json'), '{"name":"somebody","private":true,"type":"module"}');
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
    run('npm', ['install', ...quiet, ...flags, this.tarball, ...others], project);
    return project;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
