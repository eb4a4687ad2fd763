import { readdirSync, readFileSync } from 'node:fs';

/** The file descriptors of this process: how many it has open and how many it may have. */
export interface Descriptors {
  readonly used: number;
  readonly limit: number;
}

/** Reads both from the system; undefined where it does not tell, as on Windows. Where none is left to read with, all are used. */
export function countDescriptors(): Descriptors | undefined {
  try {
    const limit = readLimit();
    return limit === undefined ? undefined : { used: readdirSync(OWN_DESCRIPTORS).length - 1, limit };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? { used: lastLimit, limit: lastLimit } : undefined;
  }
}

/** A directory with an entry for each of this process's descriptors, on Linux and macOS. */
const OWN_DESCRIPTORS = '/dev/fd';

/** The limit when it could last be read. */
let lastLimit = 0;

function readLimit(): number | undefined {
  if (process.platform === 'linux') lastLimit = limitOfLinux();
  else if (lastLimit === 0) lastLimit = limitOfReport();
  return Number.isFinite(lastLimit) ? lastLimit : undefined;
}

/** It may be changed while the process runs (`prlimit`), so it is read anew each time. */
function limitOfLinux(): number {
  const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Number(soft);
}

/** Node's diagnostic report knows it on every system, but takes long to write: seconds where it looks up the names of all sockets' ends. */
function limitOfReport(): number {
  const settings = process.report as { excludeNetwork?: boolean };
  const { excludeNetwork } = settings;
  settings.excludeNetwork = true;
  try {
    const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
    return Number(report.userLimits?.open_files?.soft);
  } finally {
    if (excludeNetwork !== undefined) settings.excludeNetwork = excludeNetwork;
  }
}
