// The organisation's root is changed, twice, with devices that were away meanwhile, devices that never came before, and devices that pin the newest root: all come,
// and none is touched by hand.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, must_run, run } from './lib/daemon.mjs';
import { Device, without_users } from './lib/device.mjs';

function must(outcome, what) {
  assert.equal(outcome.code, 0, `${what}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}
const contents_of = (file) => JSON.parse(Buffer.from(JSON.parse(readFileSync(file, 'utf8')).payload, 'base64').toString());

describe('A root that is changed', { skip: without_users, timeout: 240_000 }, () => {
  let server;
  const devices = [];
  const root = () => path.join(server.data_dir, 'root');
  const at_root = (verb, ...args) => must_run('warifu', ['root', verb, '--dir', root(), '--passphrase-file', path.join(root(), 'passphrase'), '--json', ...args]);
  const out = (name) => server.file(name);
  const provision = (device) => device.agent(['--json', 'provision']);
  const bundle_of = async (device) => JSON.parse((await device.agent(['--json', 'status'])).stdout).trust_bundle;
  const newest = () => contents_of(path.join(server.data_dir, 'trust/bundles', `0000000${versions}.json`));
  let versions = 1;

  /** With the server's trust/root.pem of now, or another one. */
  async function device(id, ca = server.ca) {
    const made = await Device.prepare({ devices_url: server.devices_url, ca, id_scope: server.id_scope }, { registration_id: id });
    devices.push(made);
    await made.start_tcb();
    await made.enroll(server, id);
    return made;
  }
  async function install(name) {
    const printed = must(await server.warifud('trust install', ['--from', out(name)]), 'trust install');
    ++versions;
    assert.match(printed, new RegExp(`Trust bundle ${versions}, until`));
    server.signal('SIGHUP');
    await eventually(async () => (await run('openssl', ['s_client', '-connect', new URL(server.devices_url).host, '-CAfile', server.ca, '-verify_return_error'])).code === 0, 'the server shows a chain to its root', 10_000);
    return printed;
  }

  before(async () => {
    server = await Daemon.start();
  });
  after(async () => {
    for (const one of devices) await one.stop();
    await server?.stop();
  });

  test('IsBesideTheOldOneFirstAndTheServerShowsTheOldOne', async () => {
    await cp(server.ca, out('root-1.pem'));
    const away = await device('away');
    must(await provision(away), 'away, under the first root');
    await device('warehouse', out('root-1.pem')); // enrolled, and not yet connected
    const printed = JSON.parse(await at_root('rotate', '--out', out('rotate-1')));
    assert.equal(printed.bundle.roots, 2);
    assert.match(await must_run('openssl', ['x509', '-noout', '-subject', '-in', path.join(out('rotate-1'), 'root.pem')]), /Interop root 2/);
    assert.doesNotMatch(await install('rotate-1'), /The root is now/);
    assert.equal(readFileSync(server.ca, 'utf8'), readFileSync(out('root-1.pem'), 'utf8'), 'who does not follow bundles notices nothing');
    assert.match(await must_run('warifu', ['root', 'status', '--dir', root()]), /not finished: 2 roots/);
  });

  test('IsPinnedByANewDeviceDuringTheRotation', async () => {
    const made = await device('new-2', path.join(out('rotate-1'), 'root.pem'));
    must(await provision(made), 'pins the second root while the server shows the first');
    assert.equal(await bundle_of(made), 2);
  });

  test('IsTheOnlyOneAfterwards', async () => {
    await at_root('rotate', '--finish', '--out', out('finish-1'));
    assert.match(await install('finish-1'), /The root is now "Interop root 2"/);
    assert.equal(newest().roots.length, 1);
    assert.equal(readFileSync(server.ca, 'utf8'), readFileSync(path.join(out('rotate-1'), 'root.pem'), 'utf8'));
    const chain = (await run('openssl', ['s_client', '-connect', new URL(server.devices_url).host, '-CAfile', out('root-1.pem'), '-verify_return_error'])).stderr;
    assert.match(chain, /verify error/, 'the first root leads nowhere any more');
  });

  test('IsChangedASecondTimeAndTheServerRenewsByItself', async () => {
    await at_root('rotate', '--out', out('rotate-2'));
    await install('rotate-2');
    await at_root('rotate', '--finish', '--out', out('finish-2'));
    assert.match(await install('finish-2'), /The root is now "Interop root 3"/);
    assert.equal((await server.warifud('certificate renew')).code, 0);
    await server.halt();
    await server.serve();
  });

  test('IsFollowedByADeviceThatWasAwayMeanwhile', async () => {
    const away = devices[0];
    await point_at_server(away);
    const { code, stderr } = await provision(away);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /trust bundle 5 is followed/);
    assert.equal(await bundle_of(away), 5);
    must(await provision(away), 'and goes on');
    await away.restart_tcb();
    must(await provision(away), 'also after a restart');
  });

  test('IsFollowedByADeviceOfTheWarehouseThatPinsTheFirst', async () => {
    const old = devices[1];
    await point_at_server(old);
    must(await provision(old), 'pins a root that is gone');
    assert.equal(await bundle_of(old), 5);
    const attested = await old.agent(['--json', 'attest']);
    assert.match(attested.stdout, /"overall"/, attested.stdout + attested.stderr);
    for (const verb of ['get', 'renew', 'idevid']) assert.doesNotMatch((await old.agent(['certificate', verb])).stderr, /\[server\.identity\]/, verb);
  });

  test('IsPinnedByANewDevice', async () => {
    const made = await device('new-3', path.join(out('rotate-2'), 'root.pem'));
    must(await provision(made), 'pins the newest');
    assert.equal(await bundle_of(made), 5);
  });

  test('IsBelievedByOperators', async () => {
    must(await server.operator(['id-scope', 'show']), 'an operator with the new root.pem');
    const old = await server.operator(['id-scope', 'show'], { ca: out('root-1.pem') });
    assert.equal(old.code, 1, old.stderr);
    assert.match(old.stderr, /\[server\.identity\]/);
  });

  test('IsNotFollowedByADeviceOfAnotherOrganisation', async () => {
    const other = await Daemon.init();
    const stranger = await device('stranger', path.join(other.data_dir, 'trust/root.pem'));
    const { code, stderr } = await provision(stranger);
    await other.stop().catch(() => {});
    assert.equal(code, 1, stderr);
    assert.match(stderr, /\[bundle\.pinned-root\]/);
    assert.match(stderr, /error: .*\[server\.identity\]/);
  });

  /** The server has another port after a restart. */
  async function point_at_server(one) {
    const text = readFileSync(one.config, 'utf8').replace(/^url = .*$/m, `url = "${server.devices_url.replace('127.0.0.1', 'localhost')}"`);
    await must_run('sh', ['-c', 'cat > "$0"', one.config], { input: text });
    await one.restart_tcb();
  }
});

// The operators' guide, "A stolen key", when it happens between `rotate` and `rotate --finish`: the new keys have certificates of the new root alone.
describe('A role key that is stolen while the root is changed', { timeout: 120_000 }, () => {
  test('IsReplacedAndTheServerGoesOnUnderTheNewRoot', async () => {
    const server = await Daemon.init();
    try {
      const root = path.join(server.data_dir, 'root');
      const signer = path.join(server.data_dir, 'signer');
      const out = server.file('out');
      const at_root = (verb, ...args) => must_run('warifu', ['root', verb, '--dir', root, '--passphrase-file', path.join(root, 'passphrase'), '--out', out, ...args]);
      const install = async () => must(await server.warifud('trust install', ['--from', out]), 'trust install');
      const text = (...parts) => readFileSync(path.join(...parts), 'utf8');
      await at_root('rotate');
      assert.doesNotMatch(await install(), /The root is now/);
      await at_root('revoke', '--role', 'server-communication', '--reason', 'key-compromise');
      assert.doesNotMatch(await install(), /The root is now/);
      await rename(signer, server.file('stolen-signer'));
      await must_run('warifu-signer', ['init', '--dir', signer, '--org', 'Interop', '--server-name', 'localhost', '--offline-root']);
      await at_root('sign', '--requests', path.join(signer, 'requests'));
      assert.match(await install(), /The root is now "Interop root 2"/, 'the first one is listed still, and its key is gone');
      assert.doesNotMatch(await install(), /The root is now/, 'again, as after a power cut');
      for (const file of [path.join(server.data_dir, 'trust/root.pem'), path.join(signer, 'root.pem')])
        assert.equal(text(file), text(root, 'root.pem'), file);
      for (const role of ['server-communication', 'endpoint-identity', 'escrow'])
        for (const folder of [server.data_dir, signer]) assert.equal(text(folder, 'roles', `${role}.pem`), text(out, 'roles', `${role}.pem`), `${folder} ${role}`);
      must(await server.warifud('certificate renew'), 'certificate renew');
      await at_root('rotate', '--finish');
      await install();
      await server.serve();
      const seen = await run('openssl', ['s_client', '-connect', new URL(server.devices_url).host, '-CAfile', server.ca, '-verify_return_error']);
      assert.equal(seen.code, 0, seen.stderr);
    } finally {
      await server.stop();
    }
  });
});
