// What the vendored copy of @xstate/inspect holds: its server, with the xstate v4 that it was made for.
module.exports = { inspect: require('@xstate/inspect/lib/server').inspect };
