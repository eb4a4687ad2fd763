/** Asks nodes by HTTP on behalf of another process, which sits in another network namespace. */
process.on('message', async ({ call, url, method, bytes, text, timeoutMs }) => {
  const body = bytes === undefined ? text : new Uint8Array(bytes);
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method, signal, ...(body === undefined ? {} : { body }) });
    process.send({ call, answer: { status: response.status, text: await response.text() } });
  } catch {
    process.send({ call, answer: undefined });
  }
});
process.on('disconnect', () => process.exit());
