import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { createActor } from 'xstate';
import type { CreateInspectorOptions } from '../../src/inspect.js';
import { createInspector } from '../../src/inspect.js';
import { freePorts } from '../node/real-nodes.js';
import { until } from '../waiting/conditions.js';
import { countObservers, endAll, ends, inspector, light, look } from './looking.js';
import { outsideAddress } from './outside-address.js';
import { startStranger } from './stranger.js';

afterEach(endAll);

/** How a connection to a path ends that is not let in. */
const refusal = (url: string, options: object, protocols: readonly string[] = []): Promise<string> =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, [...protocols], options);
    ends.push(() => socket.terminate());
    socket.once('error', ({ message }) => resolve(message));
    socket.once('open', () => resolve('let in'));
  });

describe("a program of this process's own", () => {
  test('is shown by inspect from its start, and by attach later, and only while somebody looks', async () => {
    const { inspect, attach, url } = await inspector();
    const early = createActor(light, { inspect });
    early.start();
    const late = createActor(light, { id: 'late' }).start();
    attach(late);
    const observers = countObservers(late);
    expect(observers()).toBe(0);
    early.send({ type: 'toggle' });
    const page = look(url);
    await until(() => page.actor('light') !== undefined && page.actor('late') !== undefined);
    expect(page.actor('light')?.snapshot.value).toBe('on');
    late.send({ type: 'toggle' });
    await until(() => page.values('late').length === 1);
    const third = createActor(light, { inspect, id: 'third' }).start();
    third.send({ type: 'toggle' });
    await until(() => page.values('third').includes('"on"'));
    const systems = page.messages.flatMap((message) => (message.type === 'system' ? [message.system] : []));
    expect(new Set(systems).size).toBe(3);
    expect(observers()).toBe(1);
    page.socket.close();
    await until(() => observers() === 0);
  });

  test('is no longer shown once it is detached', async () => {
    const { attach, url } = await inspector();
    const detach = attach(createActor(light).start());
    const page = look(url);
    await until(() => page.actor('light') !== undefined);
    detach();
    await until(() => page.messages.some((message) => message.type === 'system' && !message.connected));
  });

  test('sends it to an inspector that runs elsewhere, whichever of the two is there first', async () => {
    const [port = 0] = await freePorts(1);
    const { inspect } = await inspector({ url: `ws://127.0.0.1:${port}`, name: 'my program' });
    const actor = createActor(light, { inspect }).start();
    const { url } = await inspector({ port });
    const page = look(url);
    await until(() => page.actor('light') !== undefined);
    actor.send({ type: 'toggle' });
    await until(() => page.values('light').length > 0);
    expect(page.messages.find(({ type }) => type === 'system')).toMatchObject({ name: 'my program', via: 'quorate' });
    expect(page.messages.find(({ type }) => type === 'machine')).toMatchObject({ machine: 'light' });
  });

  test('is watched no more once the inspector elsewhere has gone, and again when it is back', async () => {
    const [port = 0] = await freePorts(1);
    const { attach } = await inspector({ url: `ws://127.0.0.1:${port}` });
    const actor = createActor(light).start();
    const observers = countObservers(actor);
    attach(actor);
    const elsewhere = await inspector({ port });
    await until(() => observers() === 1);
    await elsewhere.close();
    await until(() => observers() === 0);
    const { url } = await inspector({ port });
    const page = look(url);
    await until(() => page.actor('light') !== undefined);
  });

  test('ends by itself, whether the inspector elsewhere is there or not', async () => {
    const { url } = await inspector();
    const [nobody] = await freePorts(1);
    for (const target of [url, `http://127.0.0.1:${nobody}`]) {
      const program = `const { inspect } = await createInspector({ url: '${target}' });
        createActor(createMachine({ id: 'brief' }), { inspect }).start();
        await new Promise((resolve) => setTimeout(resolve, 300));`;
      const imports = `import { createInspector } from '${process.cwd()}/dist/src/inspect.js'; import { createActor, createMachine } from 'xstate';`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', `${imports}\n${program}`], {
        stdio: 'ignore',
      });
      ends.push(() => child.kill('SIGKILL'));
      expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    }
  });

  test('is told to be over when its inspector is closed', async () => {
    const made = await inspector();
    made.attach(createActor(light).start());
    const page = look(made.url);
    await until(() => page.actor('light') !== undefined);
    await made.close();
    expect(await page.closed).toEqual({ code: 1001, reason: 'what is shown here ends' });
    expect(page.messages.at(-1)).toMatchObject({ type: 'system', connected: false });
  });
});

describe("a stranger's program, which knows of @statelyai/inspect only", () => {
  test('appears with its chart, its children and their parents, and as it goes on', async () => {
    const { url } = await inspector();
    const { actor, stop } = startStranger(url.replace('http', 'ws'));
    ends.push(stop, () => actor.stop());
    const page = look(url);
    await until(() => page.actor('order') !== undefined);
    expect(page.messages.find(({ type }) => type === 'system')).toMatchObject({
      via: '@statelyai/inspect',
      connected: true,
    });
    await until(() => page.messages.some((message) => message.type === 'system' && message.name === 'order'));
    const machine = page.messages.find((message) => message.type === 'machine');
    const definition = machine?.type === 'machine' ? machine.definition : undefined;
    expect(definition).toMatchObject({ id: 'order', type: 'parallel' });
    const shipping = definition?.states.find(({ key }) => key === 'shipping');
    expect(shipping?.states.find(({ key }) => key === 'idle')?.transitions).toMatchObject([
      { event: 'ship', targets: ['order.shipping.sent'] },
    ]);
    // Its serializer sorts what it sends by name.
    const payment = definition?.states.find(({ key }) => key === 'payment');
    expect(payment?.states.find(({ key }) => key === 'open')?.transitions).toMatchObject([
      { event: 'pay' },
      { kind: 'after', event: 'PATIENCE' },
    ]);
    actor.send({ type: 'pay' });
    actor.send({ type: 'ship' });
    await until(() => page.values('order').includes('{"payment":"paid","shipping":"sent"}'));
    expect(page.actor('parcel')).toMatchObject({
      parent: page.actor('order')?.actor,
      kind: 'machine',
      machine: 'parcel',
    });
    expect(page.actor('charge')).toMatchObject({ parent: page.actor('order')?.actor, machine: null });
    const events = page.messages.flatMap((message) => (message.type === 'event' ? [message.event.type] : []));
    expect(events).toEqual(expect.arrayContaining(['pay', 'ship', 'xstate.done.actor.charge']));
  });

  test('is told to a viewer that comes late as it is then, and is shown after it has gone', async () => {
    const { url } = await inspector();
    const { actor, stop } = startStranger(url.replace('http', 'ws'));
    ends.push(() => actor.stop());
    const first = look(url);
    await until(() => first.actor('order') !== undefined);
    actor.send({ type: 'ship' });
    await until(() => first.values('order').some((value) => value.includes('sent')));
    const late = look(url);
    await until(() => late.actor('parcel') !== undefined);
    expect(late.actor('order')?.snapshot.value).toEqual({ payment: 'open', shipping: 'sent' });
    stop();
    await until(() => late.messages.some((message) => message.type === 'system' && !message.connected));
    const afterwards = look(url);
    await until(() => afterwards.actor('order') !== undefined);
  });

  test('may send what it likes: nothing of it ends the inspector or reaches an actor', async () => {
    const { url, attach } = await inspector();
    const actor = createActor(light).start();
    attach(actor);
    const page = look(url);
    const rude = new WebSocket(url.replace('http', 'ws'));
    ends.push(() => rude.terminate());
    await new Promise((resolve) => rude.once('open', resolve));
    const sessionId = actor.sessionId;
    const frames = [
      '{',
      'null',
      '[]',
      JSON.stringify({ type: '@xstate.actor', sessionId: 'a', definition: '{"states":{"x":5}}', snapshot: 7 }),
      JSON.stringify({ type: '@xstate.event', sessionId: 'a', event: null }),
      JSON.stringify({ type: '@xstate.snapshot', sessionId: 'b', snapshot: { status: 'strange', value: { x: 1 } } }),
      JSON.stringify({ type: '@xstate.event', sessionId, event: { type: 'toggle' } }),
      JSON.stringify({ type: 'event', system: 's1', actor: sessionId, event: { type: 'toggle' } }),
    ];
    for (const frame of frames) rude.send(frame);
    await until(() => page.actor('b') !== undefined);
    expect(actor.getSnapshot().value).toBe('off');
    expect(page.actor('light')?.snapshot.value).toBe('off');
  });
});

describe('who may come', () => {
  test.each([
    ['a page of a development server of this machine', 'http://localhost:5173', 'let in'],
    ['a page from elsewhere', 'https://example.org', 'Unexpected server response: 403'],
    [
      'a page whose name only begins like this machine',
      'http://localhost.example.org',
      'Unexpected server response: 403',
    ],
  ])('%s may send: %s', async (_, origin, outcome) => {
    const { url } = await inspector();
    expect(await refusal(url.replace('http', 'ws'), { origin })).toBe(outcome);
  });

  test.each([
    ['a page of a development server of this machine', { origin: 'http://localhost:5173' }],
    ['a page from elsewhere', { origin: 'https://example.org' }],
    ['a name that was made to point here', { headers: { host: 'example.org' } }],
  ])('%s may not look', async (_, options) => {
    const { url } = await inspector();
    const stream = `${url.replace('http', 'ws')}/inspector/stream`;
    expect(await refusal(stream, options, ['quorate.inspect.v1'])).toBe('Unexpected server response: 403');
  });

  test.each(['the page', 'the stream', 'a program'])('nothing comes in from another machine: %s', async (what) => {
    const { url } = await inspector();
    const { port } = new URL(url);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
    ends.push(() => server.close());
    const shared = await inspector({ server });
    const outside = outsideAddress();
    if (what === 'the page') return await expect(fetch(`http://${outside}:${port}`)).rejects.toThrow('fetch failed');
    const there = `ws://${outside}:${new URL(shared.url).port}`;
    if (what === 'a program') {
      return expect(await refusal(`${there}/inspector/program`, {})).toBe('Unexpected server response: 403');
    }
    const { code, reason } = await look(`${there.replace('ws', 'http')}/inspector`).closed;
    expect([code, reason]).toEqual([1008, 'only the machine itself may look at what runs on it, and no proxy']);
  });

  test('nothing comes in through a proxy, which may ask for another machine', async () => {
    const { url } = await inspector();
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    expect(await refusal(url.replace('http', 'ws'), { headers })).toBe('Unexpected server response: 403');
    const stream = new WebSocket(`${url.replace('http', 'ws')}/inspector/stream`, 'quorate.inspect.v1', { headers });
    const [code, reason] = await once(stream, 'close');
    expect([code, String(reason)]).toEqual([1008, 'only the machine itself may look at what runs on it, and no proxy']);
  });

  test('the page is served to this machine under its own names only', async () => {
    const { url } = await inspector();
    const page = await fetch(url);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const text = await page.text();
    expect(text).toContain('data-served-by="inspector"');
    const script = /assets\/[\w-]+\.js/.exec(text)?.[0];
    expect((await fetch(`${url}/${script}`)).status).toBe(200);
    expect((await fetch(`${url}/inspector`)).status).toBe(200);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(400);
    expect((await fetch(url, { headers: { origin: 'https://example.org' } })).status).toBe(403);
  });
});

test("on a server of the user's it takes its own paths, and leaves all others", async () => {
  const server = createServer((_request, response) => void response.end('mine'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const made = await inspector({ server });
  const { port } = server.address() as AddressInfo;
  expect(made.url).toBe(`http://127.0.0.1:${port}/inspector`);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('mine');
  expect(await (await fetch(made.url)).text()).toContain('data-served-by="inspector"');
  made.attach(createActor(light).start());
  const page = look(made.url);
  await until(() => page.actor('light') !== undefined);
  await made.close();
  expect(await (await fetch(made.url)).text()).toBe('mine');
});

test.each<[string, CreateInspectorOptions]>([
  ['one of port, server and url', { port: 1, url: 'ws://127.0.0.1:1' }],
  ['like ws://127.0.0.1:8080', { url: 'nonsense' }],
  ['no option but port, server, url, name, got prt', { prt: 0 } as never],
  ['the options to be an object, got "ws://127.0.0.1:8080"', 'ws://127.0.0.1:8080' as never],
  ['port to be a whole number from 0 to 65535, got 99999', { port: 99_999 }],
  ['server to be an http.Server, got an object (Object)', { server: {} as never }],
  ['name to be text, got 5', { name: 5 as never }],
])('options that cannot work are refused: expected %s', async (words, options) => {
  await expect(createInspector(options)).rejects.toMatchObject({
    code: 'QUORATE_CONFIG_INVALID',
    message: expect.stringContaining(words),
  });
});

test('a port that is taken is said to be', async () => {
  const { url } = await inspector();
  await expect(createInspector({ port: Number(new URL(url).port) })).rejects.toThrow('is taken');
});

test('quorate inspector serves the page, prints the lines to paste, and ends with Ctrl-C', async () => {
  const child = spawn(process.execPath, ['dist/src/cli/main.js', 'inspector', '--port', '0']);
  ends.push(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const url = (): string | undefined => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
  await until(() => said.includes('.start()'));
  expect(said).toContain(`createWebSocketInspector({ url: '${url()?.replace('http', 'ws')}' })`);
  expect(said).toContain(`createInspector({ url: '${url()?.replace('http', 'ws')}' })`);
  expect((await fetch(url() ?? '')).status).toBe(200);
  const { actor, stop } = startStranger((url() ?? '').replace('http', 'ws'));
  ends.push(stop, () => actor.stop());
  const page = look(url() ?? '');
  await until(() => page.actor('order') !== undefined);
  child.kill('SIGINT');
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
});

test('a program that sends what no viewer could be told does no harm to others: nested too deep for JSON', async () => {
  const { inspect, url } = await inspector();
  const page = look(url);
  const rogue = new WebSocket(url.replace('http', 'ws'));
  ends.push(() => rogue.terminate());
  await new Promise((resolve) => rogue.once('open', resolve));
  const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
  const common = '"sessionId":"x:1","rootId":"x:1","id":null,"createdAt":"0","_version":"0.7.2","name":"rogue"';
  rogue.send(`{"type":"@xstate.actor",${common},"snapshot":{"status":"active","value":${deep}}}`);
  rogue.send(`{"type":"@xstate.actor",${common},"snapshot":{"status":"active"}}`);
  await until(() => page.actor('rogue') !== undefined);
  createActor(light, { inspect }).start();
  await until(() => page.actor('light') !== undefined);
});

test("with a user's server, files under /assets/ that are none of the page's stay the user's", async () => {
  const server = createServer((request, response) => response.end(`user's ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  await inspector({ server });
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/assets/logo.png`);
  expect(await answer.text()).toBe("user's /assets/logo.png");
});

test('actors that are made and dropped all the time are not kept for viewers that may come', async () => {
  const { inspect, url } = await inspector();
  for (let at = 0; at < 300; at += 1) createActor(light, { inspect, id: `request ${at}` }).start();
  const page = look(url);
  await until(() => page.actor('request 299') !== undefined);
  expect(page.actor('request 50')).toBeUndefined();
});
