import { endInstall } from '../../src/raft/install-need.js';
import {
  announceInstall,
  installSnapshot,
  noteInstallProgress,
  noteRestored,
  offerSnapshot,
} from '../../src/raft/installing.js';
import { action, notice, rule, ruleOfState } from './rule.js';

/** Between the leader that tells of its snapshot, the installer that fetches it, the log that begins anew behind it, and the applier that takes it in. */
export const installActions = {
  offerSnapshot: rule('snapshot.needed', (state, { peer, least }) => offerSnapshot(state, peer, least)),
  noteInstallProgress: rule('install.progressed', (state, { installing }) => noteInstallProgress(state, installing)),
  announceInstall: rule('install.arrived', (state, { snapshot }) => announceInstall(state, snapshot)),
  allowInstall: action(({ event, enqueue }) => {
    if (event.type !== 'install.durable') return;
    enqueue.sendTo('snapshotInstaller', { type: 'install.allowed', snapshot: event.snapshot });
  }),
  installSnapshot: rule('snapshot.received', (state, { snapshot }) => installSnapshot(state, snapshot)),
  announceInstallFailure: notice('install.failed', (failed) => failed),
  endInstall: ruleOfState((state) => endInstall(state)),
  noteRestored: rule('state.restored', (state, { snapshot }) => noteRestored(state, snapshot)),
  stopInstalling: action(({ enqueue }) => enqueue.sendTo('snapshotInstaller', { type: 'install.off' })),
};
