// No server here: swtpm and the vendor's TPM client judge the harness itself, and the second opinion in lib/challenge.mjs.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { cp } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { kMutations, make_challenge, split_blob } from './lib/challenge.mjs';
import { SoftDevice } from './lib/device.mjs';
import { parse_request } from './lib/mssim_bridge.mjs';
import { Swtpm } from './lib/swtpm.mjs';
import { CC, command_name } from './lib/tpm_channel.mjs';
import { run_vendor_sdk } from './lib/vendor.mjs';

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();

describe('A TPM opens a challenge that was made for it', () => {
  let device;
  let keys;
  before(async () => {
    device = await SoftDevice.start();
    keys = await device.identity();
  });
  after(() => device?.stop());

  test('ReadsTheKeysThatTheVendorsClientMakes', () => {
    assert.equal(keys.ek.length, 316);
    assert.equal(keys.srk.length, 284);
    assert.match(keys.registration_id, /^[a-z2-7]{52}$/);
  });

  for (const [title, options] of [
    ['a 32-byte key', { key: crypto.randomBytes(32) }],
    ['a 64-byte key', { key: crypto.randomBytes(64) }],
    ['a filled sixth part', { key: crypto.randomBytes(32), uri_data: crypto.randomBytes(152) }],
  ]) {
    test(`SignsWithTheKeyInside: ${title}`, () => device.with_tpm(async (tpm) => {
      await tpm.activate(make_challenge({ ...keys, ...options }));
      assert.deepEqual(await tpm.sign('attack at dawn'), hmac(options.key, 'attack at dawn'));
      const long = 'x'.repeat(3000); // above TPM_PT_INPUT_BUFFER: an HMAC sequence
      assert.deepEqual(await tpm.sign(long), hmac(options.key, long));
    }));
  }

  /** Lets the vendor's client try `blob`; returns the TPM command that was refused, null when all were accepted. */
  async function refused_at(blob) {
    const refusals = [];
    const note = ({ code, rc }) => {
      if (rc !== 0 && [CC.ActivateCredential, CC.Import, CC.Load].includes(code)) refusals.push(command_name(code));
    };
    device.bridge.on('command', note);
    const answer = await run_vendor_sdk({ do: 'activate', tpm_port: device.bridge.port, blob: blob.toString('base64') });
    await device.bridge.idle();
    device.bridge.off('command', note);
    assert.equal(answer.ok, refusals.length === 0, `the client and the TPM disagree: ${JSON.stringify(answer)}`);
    return refusals[0] ?? null;
  }

  test('AcceptsWhatIsNotMutated', async () => {
    assert.equal(await refused_at(make_challenge({ ...keys, key: crypto.randomBytes(32) })), null);
  });

  for (const [mutation, command] of Object.entries(kMutations)) {
    test(`RefusesAMutated: ${mutation}`, async () => {
      assert.equal(await refused_at(make_challenge({ ...keys, key: crypto.randomBytes(32), mutation })), command);
    });
  }

  for (const [index, [part, command]] of [
    ['credential', 'ActivateCredential'], ['credential seed', 'ActivateCredential'],
    ['duplicate', 'Import'], ['duplication seed', 'Import'], ['public area', 'Import'],
  ].entries()) {
    test(`RefusesAFlippedBitIn: ${part}`, async () => {
      const blob = make_challenge({ ...keys, key: crypto.randomBytes(32) });
      const { at, bytes } = split_blob(blob)[index];
      blob[at + bytes.length - 1] ^= 1;
      assert.equal(await refused_at(blob), command);
    });
  }

  test('RefusesAChallengeForAnotherTpm', async () => {
    const other = await SoftDevice.start();
    try {
      const { ek, srk } = await other.identity();
      for (const mixed of [{ ek, srk }, { ek, srk: keys.srk }, { ek: keys.ek, srk }]) {
        assert.equal(await refused_at(make_challenge({ ...mixed, key: crypto.randomBytes(32) })), 'ActivateCredential');
      }
    } finally {
      await other.stop();
    }
  });
});

describe('The software TPM', () => {
  test('KeepsItsKeysOverAnOrderlyRestart', async () => {
    const first = await SoftDevice.start();
    const key = crypto.randomBytes(32);
    let second;
    try {
      const keys = await first.identity();
      await first.with_tpm((tpm) => tpm.activate(make_challenge({ ...keys, key })));
      const state_dir = `${first.swtpm.state_dir}-moved`;
      await first.bridge.stop();
      await cp(first.swtpm.state_dir, state_dir, { recursive: true });
      second = await SoftDevice.start({ state_dir });
      assert.deepEqual(await second.identity(), keys);
      assert.deepEqual(await second.with_tpm((tpm) => tpm.sign('still here')), hmac(key, 'still here'));
    } finally {
      await second?.stop();
      await first.stop();
    }
  });

  test('IsTheSameDeviceWithAnotherSrkAfterTpm2Clear', async () => {
    const device = await SoftDevice.start();
    try {
      const before_clear = await device.identity();
      await device.clear();
      const after_clear = await device.identity();
      assert.deepEqual(after_clear.ek, before_clear.ek);
      assert.equal(after_clear.registration_id, before_clear.registration_id);
      assert.notDeepEqual(after_clear.srk, before_clear.srk);
      await device.with_tpm((tpm) => assert.rejects(tpm.sign('gone'), { name: 'InvalidOperationError' }));
    } finally {
      await device.stop();
    }
  });

  test('SaysWhyItDidNotStart', async () => {
    const swtpm = await Swtpm.start();
    try {
      await assert.rejects(Swtpm.start({ state_dir: swtpm.state_dir }), /swtpm did not start: exit \d+: .*lock/is);
    } finally {
      await swtpm.stop();
    }
  });
});

describe('The bridge reads both dialects of tss.js', () => {
  const get_random = Buffer.from('80010000000c0000017b0008', 'hex');
  const simulator = Buffer.concat([Buffer.from('00000008000000000c', 'hex'), get_random]);
  const old_trm = Buffer.concat([Buffer.from('000000080000010000000c', 'hex'), get_random]);

  for (const [dialect, bytes] of [['simulator', simulator], ['user-mode TRM', old_trm]]) {
    test(`TakesACommandOf: ${dialect}`, () => {
      assert.deepEqual(parse_request(bytes), { op: 8, used: bytes.length, command: get_random });
      for (let length = 0; length < bytes.length; ++length) assert.equal(parse_request(bytes.subarray(0, length)), null, `${length} bytes`);
    });
  }

  for (const length of ['00000000', '00000009', '00001001', 'ffffffff']) {
    test(`RefusesALyingLength: ${length}`, () => {
      assert.throws(() => parse_request(Buffer.from(`0000000800${length}8001`, 'hex')), /bytes/);
    });
  }
});
