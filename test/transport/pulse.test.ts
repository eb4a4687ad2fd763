import { describe, expect, test } from '@jest/globals';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { VirtualClock } from '../../src/testing/index.js';
import { ReplicaClock } from '../../src/testing/replica-clock.js';
import { Pulse } from '../../transport/pulse.js';

class End {
  bytes = 0;
  beats = 0;
  silentMs: number | undefined;

  arrivedBytes(): number {
    return this.bytes;
  }
  beat(): void {
    this.beats += 1;
  }
  fellSilent(ms: number): void {
    this.silentMs ??= ms;
  }
}

function world(settings = DEFAULT_SETTINGS) {
  const time = new VirtualClock();
  const clock = new ReplicaClock(time);
  const pulse = new Pulse(clock, settings);
  const end = new End();
  return { time, clock, pulse, end, watched: pulse.watch('b', end) };
}

describe('a pulse', () => {
  test('beats in each interval, and finds the other end silent after as many beats as it may miss', () => {
    const { time, end } = world();
    time.runFor(199);
    expect(end.beats).toBe(3);
    expect(end.silentMs).toBeUndefined();
    // The first beat was no whole one.
    time.runFor(2);
    expect(end.silentMs).toBe(150);
  });

  test('gives a connection that was accepted two seconds for its first byte, which over a long way comes late, and no more after it', () => {
    const { time, pulse } = world();
    const accepted = (): End => Object.assign(new End(), { isAccepted: true });
    const [far, dead] = [accepted(), accepted()];
    pulse.watch('c', far);
    pulse.watch('d', dead);
    time.runFor(1_800);
    far.bytes += 1;
    time.runFor(100);
    expect([far.silentMs, dead.silentMs]).toEqual([undefined, undefined]);
    time.runFor(200);
    expect([far.silentMs, dead.silentMs]).toEqual([150, 2_000]);
  });

  test('after the last byte it takes as many whole beats, and no more', () => {
    const { time, end } = world();
    time.runFor(110);
    end.bytes += 1;
    time.runFor(40);
    time.runFor(149);
    expect(end.silentMs).toBeUndefined();
    time.runFor(2);
    expect(end.silentMs).toBe(150);
  });

  test('a byte in each beat is enough, and a single beat without one is nothing', () => {
    const { time, end, watched } = world({ ...DEFAULT_SETTINGS, MAX_MISSED_HEARTBEATS: 1 });
    for (let beat = 0; beat < 20; beat += 1) {
      if (beat % 2 === 0) end.bytes += 1;
      time.runFor(50);
    }
    expect(end.silentMs).toBeUndefined();
    expect(watched.missed).toBeLessThanOrEqual(1);
  });

  test('P49 a pause of its own is no silence of the other: what has arrived is read before it judges', () => {
    const { time, clock, end } = world();
    time.runFor(120);
    for (let pause = 0; pause < 10; pause += 1) {
      clock.pause();
      clock.arrive(() => {
        end.bytes += 1;
      });
      time.runFor(1_000);
      clock.resume();
      time.runFor(20);
    }
    expect(end.silentMs).toBeUndefined();
  });

  test('what arrived during a pause is read before the beat that was due in it is judged', () => {
    const { time, clock, end } = world();
    const pauseIn = (): void => {
      clock.pause();
      clock.arrive(() => {
        end.bytes += 1;
      });
      time.runFor(1_000);
      clock.resume();
    };
    time.runFor(60);
    // From here on this machine counts as busy, and twelve beats may be missed.
    pauseIn();
    time.runFor(11 * 50 + 20);
    expect(end.silentMs).toBeUndefined();
    pauseIn();
    time.runFor(20);
    expect(end.silentMs).toBeUndefined();
    time.runFor(12 * 50 + 20);
    expect(end.silentMs).toBe(600);
  });

  test('who is heard on one of two connections is not cut off: the other is given eight times as long', () => {
    const { time, end, pulse } = world();
    const other = new End();
    pulse.watch('b', other);
    const runFor = (beats: number): void => {
      for (let beat = 0; beat < beats; beat += 1) {
        other.bytes += 1;
        time.runFor(50);
      }
    };
    runFor(23);
    expect(end.silentMs).toBeUndefined();
    runFor(3);
    expect(end.silentMs).toBe(1_200);
    expect(other.silentMs).toBeUndefined();
  });

  test('while large messages come in, a line that has to repeat a packet is given four times as long', () => {
    const { time, end } = world();
    time.runFor(49);
    end.bytes += 50_000;
    time.runFor(500);
    expect(end.silentMs).toBeUndefined();
    time.runFor(200);
    expect(end.silentMs).toBe(600);
  });

  test('so is a peer that has more to take than it takes', () => {
    const { time, end } = world();
    Object.assign(end, { isBackedUp: () => true });
    time.runFor(500);
    expect(end.silentMs).toBeUndefined();
    time.runFor(200);
    expect(end.silentMs).toBe(600);
  });

  test('so is a peer that was sent a large message, though all of it has left: it may be busy with it', () => {
    const { time, end } = world();
    let sent = 0;
    Object.assign(end, { sentBytes: () => sent });
    time.runFor(110);
    sent += 8 * 1024 * 1024;
    end.bytes += 1;
    time.runFor(540);
    expect(end.silentMs).toBeUndefined();
    time.runFor(200);
    expect(end.silentMs).toBe(600);
  });

  test('so is the other connection of a peer that large messages come from: who works on them is silent on both', () => {
    const { time, pulse, end } = world();
    const other = new End();
    pulse.watch('b', other);
    time.runFor(60);
    end.bytes += 50_000;
    other.bytes += 1;
    time.runFor(540);
    expect(other.silentMs).toBeUndefined();
    time.runFor(200);
    expect(other.silentMs).toBe(600);
  });

  test('so is everybody while this machine is busy, as a late beat shows, and no longer a second after the last one', () => {
    const { time, clock, end } = world();
    time.runFor(110);
    end.bytes += 1;
    // The beat that was due at 150 comes at 190.
    clock.pause();
    time.runFor(80);
    clock.resume();
    time.runFor(500);
    expect(end.silentMs).toBeUndefined();
    end.bytes += 1;
    time.runFor(50);
    for (let beat = 0; beat < 20; beat += 1) {
      end.bytes += 1;
      time.runFor(50);
    }
    time.runFor(201);
    expect(end.silentMs).toBe(150);
  });

  test('and one that was heard well after that is given no more time than others', () => {
    const { time, end } = world();
    let sent = 0;
    Object.assign(end, { sentBytes: () => sent });
    sent += 8 * 1024 * 1024;
    time.runFor(60);
    for (let beat = 0; beat < 3; beat += 1) {
      end.bytes += 1;
      time.runFor(50);
    }
    time.runFor(200);
    expect(end.silentMs).toBe(150);
  });

  test('a connection for beats only has every fourth, while its peer is told on another', () => {
    const { time, pulse, end } = world();
    const receiving = Object.assign(new End(), { isForBeatsOnly: true });
    pulse.watch('b', receiving);
    time.runFor(400);
    expect([end.beats, receiving.beats]).toEqual([8, 2]);
  });

  test('it has every one where its peer is told on no other', () => {
    const { time, pulse } = world();
    const receiving = Object.assign(new End(), { isForBeatsOnly: true });
    pulse.watch('c', receiving);
    time.runFor(400);
    expect(receiving.beats).toBe(8);
  });

  test('when nothing is watched any more, no timer is left', () => {
    const { time, watched } = world();
    watched.stop();
    time.runFor(200);
    expect(time.pendingTimers).toBe(0);
  });
});
