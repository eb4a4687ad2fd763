import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { until } from '../waiting/conditions.js';
import { endAll, ends, inspector, look } from './looking.js';

afterEach(endAll);

/** A program that runs `@statelyai/inspect`, once it is connected. */
async function program(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  ends.push(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

const actorCalled = (name: string): string =>
  JSON.stringify({ type: '@xstate.actor', sessionId: 'x:0', name, snapshot: { status: 'active', value: 'on' } });

test('32 pages may look at one inspector; one more is refused until one of them is closed', async () => {
  const { url } = await inspector();
  const pages = Array.from({ length: 32 }, () => look(url).socket);
  await Promise.all(pages.map((socket) => once(socket, 'open')));
  await expect(once(look(url).socket, 'open')).rejects.toThrow('Unexpected server response: 503');
  pages[0]?.close();
  await until(() =>
    once(look(url).socket, 'open').then(
      () => true,
      () => false,
    ),
  );
});

describe('programs that tell one inspector of themselves', () => {
  test('are 64 at the most at the same time; one more is refused until one of them goes', async () => {
    const { url } = await inspector();
    const programs = await Promise.all(Array.from({ length: 64 }, () => program(url)));
    await expect(program(url)).rejects.toThrow('Unexpected server response: 503');
    programs[0]?.close();
    await until(() =>
      program(url).then(
        () => true,
        () => false,
      ),
    );
  });

  test('that have ended stay shown, the last eight of them, also to whoever looks later', async () => {
    const { url } = await inspector();
    const page = look(url);
    const isOver = (name: string): boolean =>
      page.messages.some((told) => told.type === 'system' && told.name === name && !told.connected);
    for (let number = 1; number <= 12; number += 1) {
      const socket = await program(url);
      socket.send(actorCalled(`program ${number}`));
      socket.close();
      await until(() => isOver(`program ${number}`));
    }
    const lastEight = Array.from({ length: 8 }, (_, at) => `program ${5 + at}`);
    const late = look(url);
    await until(() => late.actor('program 12') !== undefined);
    expect(late.messages.flatMap((told) => (told.type === 'system' ? [told.name] : []))).toEqual(lastEight);
    expect(page.messages.filter(({ type }) => type === 'gone')).toHaveLength(4);
  });

  test('say what they have to say as text: bytes are no messages', async () => {
    const { url } = await inspector();
    const page = look(url);
    const socket = await program(url);
    socket.send(Buffer.from(actorCalled('in bytes')));
    socket.send(actorCalled('in text'));
    await until(() => page.actor('in text') !== undefined);
    expect(page.actor('in bytes')).toBeUndefined();
  });
});
