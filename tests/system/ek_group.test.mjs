// A group that takes TPMs by who certified their EK: our device half with a TPM emulator that has a certificate in its NV, and with one
// that has none.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Swtpm } from '../interop/lib/swtpm.mjs';
import { SoftwareTpm } from '../vm/lib/software_tpm.mjs';
import { Daemon, eventually } from './lib/daemon.mjs';
import { Device } from './lib/device.mjs';
import { operator_of } from './lib/operator.mjs';

let daemon;
let made; // a TPM with an EK certificate, by an authority of its own
let folder;
before(async () => {
  daemon = await Daemon.start();
  folder = await mkdtemp('/tmp/wekgroup-');
  made = await SoftwareTpm.make(folder);
});
after(async () => {
  await daemon?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const { done, json } = operator_of(() => daemon);

async function with_device(options, work) {
  const device = await Device.prepare(daemon, options);
  try {
    await device.start_tcb();
    await work(device);
  } finally {
    await device.stop();
  }
}

describe('A group by authorities for EKs', () => {
  let root;
  // What a device asked for is written into the diary each second.
  const explained = (id, pattern) => eventually(async () => pattern.test((await daemon.operator(['registration', 'explain', id])).stdout), `${id} is explained by ${pattern}`);

  before(async () => {
    const imported = await json('ek-root', 'import', ...made.authorities, '--vendor', 'id:00001014');
    root = imported.find(({ role }) => role === 'root').fingerprint_sha256;
    await done('enrollment-group', 'create', '--group-id', 'plant', '--tpm', '--naming', 'pump-*', '--ek-authority', root);
  });

  test('takes a TPM whose certificate, read from its NV, leads to one of them, and its hardware is known', async () => {
    const tpm = await Swtpm.start({ state_dir: path.join(folder, 'state') });
    try {
      await with_device({ registration_id: 'pump-1', tpm }, async (device) => {
        const { code, stdout, stderr } = await device.agent(['provision']);
        assert.equal(code, 0, stdout + stderr);
        const shown = await json('device', 'show', 'pump-1');
        assert.equal(shown.group_id, 'plant');
        assert.equal(shown.ek_certificate.verdict.verdict, 'trusted', JSON.stringify(shown.ek_certificate));
        assert.equal(shown.ek_certificate.verdict.class, 'software');
        const eks = await json('enrollment-group', 'list-eks', 'plant');
        assert.deepEqual(eks.map((ek) => [ek.ek_name, ek.registration_id, ek.is_approved]), [[shown.ek_name, 'pump-1', false]]);
        // The device attests: its hardware layer is that of the certificate.
        const attested = await device.agent(['--json', 'attest']);
        assert.match(attested.stdout, /"hardware": ?"affirming"/, attested.stdout + attested.stderr);
        // Once the authority is distrusted it comes no more.
        await done('ek-root', 'distrust', root, '--reason', 'leaked');
        const again = await device.agent(['provision']);
        assert.equal(again.code, 1, again.stdout + again.stderr);
        assert.match(again.stderr, /enrollment\.ek_certificate/);
        await explained('pump-1', /the one that came is refused: .*not trusted since/);
        await done('ek-root', 'trust', root);
        assert.equal((await device.agent(['provision'])).code, 0);
        // Taken off its group it stays out, whatever its certificate is worth.
        await done('enrollment-group', 'remove-ek', 'plant', shown.ek_name);
        const barred = await device.agent(['provision']);
        assert.equal(barred.code, 1, barred.stdout + barred.stderr);
        assert.match(barred.stderr, /enrollment\.ek_barred/);
        assert.equal((await json('enrollment-group', 'list-eks', 'plant'))[0].is_barred, true);
        await done('enrollment-group', 'allow-ek', 'plant', shown.ek_name);
        assert.equal((await device.agent(['provision'])).code, 0);
      });
    } finally {
      await tpm.stop();
    }
  });

  test('refuses a TPM without a certificate, or lets an operator decide', async () => {
    await with_device({ registration_id: 'pump-2' }, async (device) => {
      const refused = await device.agent(['provision']);
      assert.equal(refused.code, 1, refused.stdout + refused.stderr);
      assert.match(refused.stderr, /enrollment\.ek_certificate/);
      await explained('pump-2', /no certificate came with the EK/);

      await done('enrollment-group', 'update', 'plant', '--tpm', '--naming', 'pump-*', '--ek-authority', root, '--approve-uncertified');
      device.start_agent();
      await eventually(async () => (await json('approval', 'list')).length === 1, 'the TPM waits for an operator', 60_000, () => device.agent_log);
      const [wish] = await json('approval', 'list');
      assert.deepEqual([wish.registration_id, wish.group_id, wish.is_uncertified], ['pump-2', 'plant', true]);
      await done('approval', 'approve', 'pump-2', '--ek-name', wish.ek_name, '--srk-name', wish.srk_name);
      const shows = async () => (await daemon.operator(['device', 'show', 'pump-2', '--json'])).code === 0;
      await eventually(shows, 'it is assigned', 90_000, () => device.agent_log);
      const shown = await json('device', 'show', 'pump-2');
      assert.equal(shown.ek_certificate, null);
      const listed = await json('enrollment-group', 'list-eks', 'plant');
      assert.equal(listed.find((ek) => ek.registration_id === 'pump-2').is_approved, true);
    });
  });
});
