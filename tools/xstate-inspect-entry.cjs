// What the vendored copy of @xstate/inspect holds: its server, with the xstate v4 that it was made for. The vendored file
// exports a function that makes a fresh copy: the server keeps its services in module scope, for all inspectors together.
module.exports = { inspect: require('@xstate/inspect/lib/server').inspect };
