import { writeFileSync } from 'node:fs';

/** A jest reporter for `mutants.mjs`: which test failed first, if any. Jest's own JSON cannot hold what some failures compare. */
export default class FirstFailure {
  #first;

  onTestResult(_test, { testResults, testFilePath, testExecError, failureMessage }) {
    const failed = testResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) this.#first ??= { test: failed.fullName };
    else if (testExecError || (failureMessage && testResults.length === 0)) {
      this.#first ??= { test: `${testFilePath} could not run`, message: failureMessage };
    }
  }

  onRunComplete(_contexts, { numPassedTests }) {
    writeFileSync(process.env.FIRST_FAILURE_FILE, JSON.stringify({ passed: numPassedTests, first: this.#first }));
  }
}
