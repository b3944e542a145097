// What the device half costs a device that has nothing to do: memory, and wake-ups.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Daemon, eventually } from './lib/daemon.mjs';
import { Device } from './lib/device.mjs';

const kPssMaxKiB = 16 * 1024;
const kPrivateDirtyMaxKiB = 5 * 1024;
const kIdleMs = 5_000;

/** Of /proc/PID/smaps_rollup, in KiB. */
function memory_of(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const line = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)[1]);
  return { pss: line('Pss'), private_dirty: line('Private_Dirty') };
}

/** How often its threads went to sleep: each time they had been awake. */
function sleeps_of(pid) {
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'))
    .reduce((sum, text) => sum + Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(text)[1]), 0);
}

describe('A device that has nothing to do', () => {
  let server;
  let device;
  before(async () => {
    server = await Daemon.start();
    device = await Device.prepare(server, { registration_id: 'idle-1' });
    await device.start_tcb();
    await device.enroll(server, 'idle-1');
    device.start_agent();
    await eventually(() => /provisioned/i.test(device.agent_log), 'the agent provisioned the device', 20_000, () => device.agent_log);
    await sleep(500); // what it does after saying so
  });
  after(async () => {
    await device?.stop();
    await server?.stop();
  });

  test('takes little memory for both programs', (context) => {
    const tcb = memory_of(device.tcb_pid);
    const agent = memory_of(device.agent_pid);
    const pss = tcb.pss + agent.pss;
    const private_dirty = tcb.private_dirty + agent.private_dirty;
    const show = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
    context.diagnostic(`warifu-tcb PSS ${show(tcb.pss)}, private dirty ${show(tcb.private_dirty)}; warifu-agent PSS ${show(agent.pss)}, private dirty ${show(agent.private_dirty)}`);
    context.diagnostic(`together PSS ${show(pss)} of at most ${show(kPssMaxKiB)}, private dirty ${show(private_dirty)} of at most ${show(kPrivateDirtyMaxKiB)}`);
    assert.ok(pss <= kPssMaxKiB, show(pss));
    assert.ok(private_dirty <= kPrivateDirtyMaxKiB, show(private_dirty));
  });

  const sleeps = () => [device.tcb_pid, device.agent_pid].map(sleeps_of);

  /** Once nothing has happened for a second: on a slow machine the start takes its time. */
  async function settled() {
    for (const deadline = Date.now() + 30_000; ; ) {
      const before_it = sleeps();
      await sleep(1_000);
      if (isDeepStrictEqual(sleeps(), before_it)) return before_it;
      assert.ok(Date.now() < deadline, 'something wakes them up each second');
    }
  }

  test('is not woken up by anything', async () => {
    const before_it = await settled();
    await sleep(kIdleMs);
    assert.deepEqual(sleeps(), before_it);
  });

  test('is woken up by what it is asked', async () => {
    const before_it = sleeps_of(device.tcb_pid);
    assert.equal((await device.agent(['random', '--size', '8'])).code, 0);
    assert.ok(sleeps_of(device.tcb_pid) > before_it, 'the count above would miss a wake-up');
  });
});
