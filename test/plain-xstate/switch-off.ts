/** Runs before each test file of the project `plain-xstate` in jest.config.mjs, and before it imports anything. */
process.env.QUORATE_PLAIN_XSTATE = '1';
