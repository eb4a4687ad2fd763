const shared = {
  testEnvironment: '<rootDir>/tools/test-environment.mjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
};

/** With XState's stricter build, as vitest, Vite and webpack's dev mode load it. A warning of XState's fails the test. */
export const development = {
  ...shared,
  displayName: 'development',
  testEnvironmentOptions: { customExportConditions: ['node', 'node-addons', 'development'] },
  setupFilesAfterEnv: ['<rootDir>/test/development/no-warnings.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/test/plain-xstate/'],
};

/** With XState taking all events, without the fast transition (docs/fast-transition.md); test/simulation/seeds.test.ts runs seeds so. */
const plainXState = {
  ...shared,
  displayName: 'plain-xstate',
  setupFiles: ['<rootDir>/test/plain-xstate/switch-off.ts'],
  testMatch: ['plain-xstate/*', 'machines/*', 'simulation/stories*'].map((tests) => `<rootDir>/test/${tests}.test.ts`),
};

const RUN_ACTORS = [
  ...['machines/*', 'development/*', 'fast-transition/*', 'embedding/invoked*'],
  ...['node/replica-node', 'node/observers', 'inspect/inspector'],
];

export default {
  projects: [
    {
      ...shared,
      displayName: 'production',
      testPathIgnorePatterns: ['/node_modules/', '/test/development/', '/test/plain-xstate/'],
    },
    // What runs actors in the test's own process. `npm run test:development` runs everything so.
    { ...development, testMatch: RUN_ACTORS.map((tests) => `<rootDir>/test/${tests}.test.ts`) },
    plainXState,
  ],
  // A machine under load may take ten times as long as a quiet one: only a test that hangs meets this.
  testTimeout: 300_000,
  // Two files at a time: jest's own choice on two cores is one.
  maxWorkers: 2,
  // What a file leaves in a worker's memory stays there: a worker that has come so far begins anew.
  workerIdleMemoryLimit: '800MB',
  reporters: ['default', '<rootDir>/tools/closing-line.mjs'],
};
