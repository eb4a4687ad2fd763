import { execFile } from 'node:child_process';

/** Runs a command that prints one JSON document. */
export function capture(command, args) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${command} ${args.join(' ')}: ${stderr || error.message}`));
      else resolve(JSON.parse(stdout));
    });
  });
}

export const until = async (holds, withinMs = 20_000) => {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};
