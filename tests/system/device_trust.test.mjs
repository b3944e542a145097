// A device that follows the organisation's trust bundles, with a real TPM emulator and a real server: at provisioning, after it was away, with an old
// state folder, with a server that was put back, and when the key of the server's role was stolen.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, must_run } from './lib/daemon.mjs';
import { Device, without_users } from './lib/device.mjs';

const kId = 'meter-1';

function must(outcome, what) {
  assert.equal(outcome.code, 0, `${what}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

describe('A device that follows trust bundles', { skip: without_users, timeout: 180_000 }, () => {
  let server;
  let device;
  const root = () => path.join(server.data_dir, 'root');
  const out = () => server.file('out');
  const at_root = (verb, ...args) => must_run('warifu', ['root', verb, '--dir', root(), '--passphrase-file', path.join(root(), 'passphrase'), '--out', out(), ...args]);
  const bundle_file = (version) => path.join(server.data_dir, `trust/bundles/0000000${version}.json`);
  const provision = () => device.agent(['--json', 'provision']);
  const status = async () => JSON.parse((await device.agent(['--json', 'status'])).stdout);
  const install = async () => must(await server.warifud('trust install', ['--from', out()]), 'trust install');
  const reload = async (pattern) => {
    server.signal('SIGHUP');
    await server.log_has(pattern);
  };
  before(async () => {
    server = await Daemon.start();
    device = await Device.prepare(server, { registration_id: kId });
    await device.start_tcb();
    await device.enroll(server, kId);
  });
  after(async () => {
    await device?.stop();
    await server?.stop();
  });

  test('BeginsAtProvisioningAndShowsIt', async () => {
    assert.equal((await status()).trust_bundle, 1, 'also status meets the server');
    must(await provision(), 'provision');
    const shown = await status();
    const payload = Buffer.from(JSON.parse(readFileSync(bundle_file(1), 'utf8')).payload, 'base64');
    assert.equal(shown.trust_bundle, 1);
    assert.equal(shown.trust_bundle_sha256, createHash('sha256').update(payload).digest('hex'));
    assert.equal(Date.parse(shown.trust_bundle_expires_at), Date.parse(JSON.parse(payload).expires_at));
    assert.equal(shown.trust_bundle_expired, false);
    await device.restart_tcb();
    must(await provision(), 'after a restart');
  });

  test('CatchesUpWithThreeThatItMissed', async () => {
    await cp(device.file('tcb'), device.file('old-tcb'), { recursive: true, preserveTimestamps: true });
    for (let i = 0; i < 3; ++i) await at_root('publish', '--days', '20');
    await install();
    await reload(/trust bundle 4 ends at/);
    const { code, stderr } = await provision();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /note: the organisation's trust bundle 4 is followed/);
    assert.equal((await status()).trust_bundle, 4);
  });

  test('BelievesNoOldStateFolderAndFetchesWhatItsTpmRemembers', async () => {
    assert.equal(await device.stop_tcb(), 0);
    await must_run('cp', ['-a', device.file('tcb/trust-bundle'), device.file('new-bundle')]);
    await must_run('cp', ['-p', device.file('old-tcb/trust-bundle'), device.file('tcb/trust-bundle')]);
    await must_run('chown', ['--reference', device.file('new-bundle'), device.file('tcb/trust-bundle')]);
    await device.start_tcb();
    assert.match(device.tcb_log + (await provision()).stderr, /trust bundle 4 is followed/);
    await eventually(() => /is not trust bundle 4, which the TPM remembers/.test(device.tcb_log), 'the TCB says so', 5_000, () => device.tcb_log);
    assert.equal((await status()).trust_bundle, 4);
  });

  test('BelievesNoServerThatWasPutBackWhileItsOwnFolderIsOld', async () => {
    assert.equal(await device.stop_tcb(), 0);
    await must_run('cp', ['-p', device.file('old-tcb/trust-bundle'), device.file('tcb/trust-bundle')]);
    await must_run('chown', ['--reference', device.file('new-bundle'), device.file('tcb/trust-bundle')]);
    await device.start_tcb();
    await mkdir(server.file('away'));
    for (const version of [2, 3, 4]) await rename(bundle_file(version), path.join(server.file('away'), `${version}`));
    await reload(/certificate loaded/);
    const refused = await provision();
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /has seen trust bundle 4.*\[bundle\.rollback\]/);
    for (const version of [2, 3, 4]) await rename(path.join(server.file('away'), `${version}`), bundle_file(version));
    server.signal('SIGHUP');
    await eventually(async () => (await provision()).code === 0, 'it comes when the server has what it had', 10_000);
  });

  test('ForgetsWithAClearThatItsAdministratorAskedForAndBeginsAnew', async () => {
    const file = device.file('auth');
    must(await server.operator(['device', 'escrow', kId, '--out', device.file('escrow.der')]), 'escrow');
    const opened = JSON.parse(must(await server.warifud('escrow open', [device.file('escrow.der')]), 'escrow open'));
    await must_run('sh', ['-c', `printf %s ${opened.auth} > ${file}`]);
    must(await device.administrator(['tpm', 'clear', '--yes', '--lockout-auth-file', file]), 'clear');
    assert.equal((await status()).trust_bundle, 4, 'by the pinned root, and all that follow');
    must(await provision(), 'provisioned anew');
  });

  test('RefusesTheServerWhoseRoleWasStolenAndComesToTheNewOne', async () => {
    await at_root('revoke', '--role', 'server-communication', '--reason', 'key-compromise');
    await install();
    await reload(/trust bundle 5 revokes/);
    const refused = await provision();
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /trust bundle 5 is followed[^]*\[tcb\.server\.revoked\]/);
    assert.equal((await status()).trust_bundle, 5);
    // As the operators' guide says, "A stolen key".
    const signer = path.join(server.data_dir, 'signer');
    await rename(signer, server.file('stolen-signer'));
    await must_run('warifu-signer', ['init', '--dir', signer, '--org', 'Interop', '--server-name', 'localhost', '--offline-root']);
    await at_root('sign', '--requests', path.join(signer, 'requests'));
    await install();
    must(await server.warifud('certificate renew'), 'certificate renew');
    server.signal('SIGHUP');
    await eventually(async () => (await provision()).code === 0, 'it comes to the server with the new role', 15_000);
    assert.equal((await status()).trust_bundle, 6);
    await server.halt();
    await server.serve();
  });
});
