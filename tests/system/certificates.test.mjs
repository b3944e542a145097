// A device gets its certificates from a real server, with a key in a TPM: our agent, and stock curl after it.
import assert from 'node:assert/strict';
import { chownSync, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { Daemon, eventually, run, without } from './lib/daemon.mjs';
import { kTcbUser, without_users } from './lib/device.mjs';
import { Machine } from './lib/machine.mjs';
import { operator_of } from './lib/operator.mjs';

const kBoot = 'uki-secure-boot';
const kProvider = '/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so';

const without_provider = without('tpm2-abrmd') || without('dbus-run-session') || (existsSync(kProvider) ? false : 'tpm2-openssl is missing: apt-get install tpm2-openssl');

describe('A device with certificates', { skip: without_users }, () => {
  let server;
  let machine;
  const { done, json } = operator_of(() => server);

  async function put_policy(policy) {
    const file = server.file('policy.json');
    await writeFile(file, JSON.stringify({ format: 'warifu.evidence-policy.v1', ...policy }));
    return done('policy', 'put', file);
  }
  const good_policy = () => put_policy({ registers: { sha256: [0, 7] }, boot: { claims: ['secure-boot'] } });

  const with_machine = (id, work) => Machine.live(server, id, kBoot, (made) => {
    machine = made;
    return work(id);
  });
  async function agent(...args) {
    const { code, stdout, stderr } = await machine.device.agent(['--json', ...args]);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout);
  }
  async function agent_refused(pattern, ...args) {
    const { code, stdout, stderr } = await machine.device.agent(args);
    assert.equal(code, 1, `${args.join(' ')}: exit ${code}: ${stdout}${stderr}`);
    assert.match(stderr, pattern);
    return stderr;
  }
  const certificates_of = (id) => json('certificate', 'list', '--registration-id', id);

  before(async () => {
    server = await Daemon.start();
    await good_policy();
  });
  after(() => server?.stop());

  test('gets an LDevID that it shows in TLS, and keeps it', async () => {
    await with_machine('meter-1', async (id) => {
      await agent_refused(/\[tcb\.certificate\.none\]/, 'certificate', 'show');
      await agent('provision');
      const got = await agent('certificate', 'get');
      assert.equal(got.kind, 'ldevid');
      assert.equal(got.state, 'active');
      assert.equal(got.is_new, true);
      const again = await agent('certificate', 'get');
      assert.deepEqual({ ...again, is_new: true }, { ...got, renew_after: again.renew_after });
      assert.equal(again.state, 'active', 'the server says so, to the certificate itself');
      const shown = await agent('certificate', 'show');
      assert.equal(shown.serial, got.serial);
      assert.match(shown.subject, /CN=meter-1/);
      assert.match(shown.issuer, / endpoint-identity/);
      assert.equal(shown.key_waits, false);
      assert.equal((await agent('status')).certificate_serial, got.serial);
      const [kept] = await certificates_of(id);
      assert.equal(kept.serial, got.serial);
      assert.equal(kept.protection, 'tpm');
      // Another key, and the former one stays.
      const renewed = await agent('certificate', 'renew');
      assert.notEqual(renewed.serial, got.serial);
      assert.equal((await agent('certificate', 'show')).previous_serial, got.serial);
      // After a restart it is there.
      await machine.device.restart_tcb();
      assert.equal((await agent('certificate', 'get')).serial, renewed.serial);
    });
  });

  test('gets the certificate of its IDevID for life', async () => {
    await with_machine('meter-2', async (id) => {
      await agent('provision');
      const got = await agent('certificate', 'idevid');
      assert.equal(got.kind, 'idevid');
      assert.match(got.not_after, /^9999-12-31/);
      assert.equal((await agent('certificate', 'idevid')).serial, got.serial);
      const [kept] = await certificates_of(id);
      assert.equal(kept.serial, got.serial);
    });
  });

  test('gets none while what it runs does not pass, and one when it does', async () => {
    await with_machine('meter-3', async (id) => {
      await agent('provision');
      await put_policy({ registers: { sha256: [0, 7] }, boot: { events: [{ name: 'a command line of nobody', pcr: 11, sha256: '00'.repeat(32) }] } });
      try {
        await agent_refused(/\[certificate\.attestation(-missing)?\]/, 'certificate', 'get');
        assert.deepEqual(await certificates_of(id), []);
      } finally {
        await good_policy();
      }
      assert.equal((await agent('certificate', 'get')).state, 'active');
    });
  });

  test('is told why a certificate is refused, and comes without it for another one', async () => {
    await with_machine('meter-4', async (id) => {
      await agent('provision');
      const first = await agent('certificate', 'get');
      await done('certificate', 'suspend', first.serial);
      const held = await agent('certificate', 'get');
      assert.equal(held.serial, first.serial);
      assert.equal(held.state, 'held');
      await done('certificate', 'resume', first.serial);
      assert.equal((await agent('certificate', 'get')).state, 'active');
      await done('certificate', 'revoke', first.serial, '--reason', 'superseded');
      const { code, stdout, stderr } = await machine.device.agent(['--json', 'certificate', 'get']);
      assert.equal(code, 0, stderr);
      const second = JSON.parse(stdout);
      assert.notEqual(second.serial, first.serial);
      assert.equal(second.is_new, true);
      assert.match(stderr, /\[certificate\.revoked\]|certificate\.revoked/);
      assert.equal((await certificates_of(id))[0].serial, second.serial);
    });
  });

  test('gets and keeps one in the service', async () => {
    await with_machine('meter-5', async (id) => {
      machine.device.start_agent();
      await eventually(() => machine.device.agent_log.includes('the server issued the LDevID'), 'an LDevID', 60_000, () => machine.device.agent_log);
      const [kept] = await certificates_of(id);
      assert.match(machine.device.agent_log, new RegExp(`the server issued the LDevID ${kept.serial}`));
      assert.equal(await machine.device.stop_agent(), 0);
    });
  });

  test('is exported for curl, which signs with the TPM by a provider', { skip: without_provider }, async () => {
    await with_machine('meter-6', async () => {
      await agent('provision');
      const { serial } = await agent('certificate', 'get');
      const { device } = machine;
      const [certificate, key] = [device.file('c.pem'), device.file('k.pem')];
      const denied = await device.agent(['certificate', 'export', '--out-certificate', certificate, '--out-key', key]);
      assert.equal(denied.code, 1);
      assert.match(denied.stderr, /\[tcb\.denied\]/);
      const exported = await device.administrator(['certificate', 'export', '--out-certificate', certificate, '--out-key', key]);
      assert.equal(exported.code, 0, exported.stderr);
      assert.match(await readFile(key, 'utf8'), /^-----BEGIN TSS2 PRIVATE KEY-----/);
      // swtpm serves one client: the TCB gives way to a resource manager.
      await device.stop_tcb();
      await writeFile(device.file('openssl.cnf'), `openssl_conf = init
[init]
providers = providers
alg_section = algorithms
random = randomness
[providers]
default = software
tpm2 = tpm
[software]
activate = 1
[tpm]
activate = 1
[algorithms]
default_properties = ?provider=tpm2,tpm2.digest!=yes,tpm2.cipher!=yes
[randomness]
properties = provider=default
`);
      const url = `${server.devices_url.replace('127.0.0.1', 'localhost')}/api/v1/device/self`;
      await writeFile(device.file('ask'), `#!/bin/bash
tpm2-abrmd --session --allow-root --tcti=swtpm:path=${machine.device.tpm.socket_path} >${device.file('abrmd.log')} 2>&1 & manager=$!
sleep 1.5
export TPM2OPENSSL_TCTI=tabrmd:bus_type=session OPENSSL_CONF=${device.file('openssl.cnf')}
curl -sS --max-time 60 --tlsv1.3 --cacert ${server.ca} --cert ${certificate} --key ${key} ${url}; outcome=$?
kill $manager; wait $manager
exit $outcome
`);
      const asked = await run('dbus-run-session', ['--', 'bash', device.file('ask')]);
      assert.equal(asked.code, 0, `${asked.stdout}${asked.stderr}`);
      const self = JSON.parse(asked.stdout);
      assert.equal(self.serial, serial);
      assert.equal(self.state, 'active');
      chownSync(machine.device.tpm.socket_path, kTcbUser, kTcbUser);
    });
  });
});
