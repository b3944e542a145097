// A PC that boots shows a real server what it runs: firmware with Secure Boot, TPM, Debian's kernel, IMA on an ext4 root, and our two programs
// as they are installed. Nothing between the firmware and the verifier is ours but what is tested. Three boots, one after another.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Daemon, must_run } from '../system/lib/daemon.mjs';
import { operator_of } from '../system/lib/operator.mjs';
import { Machine, kGoodImage, kKernelOfQemu, kOtherCommandLine } from './lib/machine.mjs';

const kId = 'gateway-7';
const kHost = 'warifu.test'; // stands in the guest's /etc/hosts: curl takes localhost for itself
// As its unit does, never as root: what root reads, IMA measures, and the TCB's state is not the same at each boot.
const kStartTcb = 'start-stop-daemon -S -c warifu-tcb:warifu-tcb -x /usr/bin/warifu-tcb >/run/tcb.ready 2>/run/tcb.log & '
  + 'for i in $(seq 300); do grep -q ready /run/tcb.ready && exit 0; sleep 0.1; done; cat /run/tcb.log >&2; exit 1';
const kSensor = '/usr/bin/sensor';
const kAffirming = { identity: 'affirming', hardware: 'affirming', boot: 'affirming', configuration: 'affirming', runtime: 'affirming', freshness: 'affirming' };

function configuration_for(server) {
  return `[server]
url = "${server.devices_url.replace('127.0.0.1', kHost)}"
root = "/etc/warifu/root.pem"
[device]
id_scope = "${server.id_scope}"
registration_id = "${kId}"
`;
}

describe('A PC that boots', () => {
  let server;
  let machine;
  let is_installed = false;
  let is_broken = false;
  const { done, json } = operator_of(() => server);

  async function attest() {
    const { code, stdout } = await machine.run('warifu-agent --json attest');
    assert.ok(code === 0 || code === 1, `exit ${code}: ${stdout}\n${await machine.must_run('cat /run/tcb.log')}`);
    return JSON.parse(stdout.split('\n', 1)[0]);
  }
  /** What the operator is told: {code, stdout}. */
  const explain = () => server.operator(['attestation', 'explain', kId]);
  /** Of what contradicts, the findings with this code. */
  async function contradictions(code) {
    const { result } = await json('attestation', 'show', kId);
    return result.findings.filter((finding) => finding.tier === 'contraindicated' && finding.code === code);
  }

  async function power_on(t, start_with) {
    const seconds = await machine.boot(start_with);
    if (!is_installed) await install();
    await machine.must_run(kStartTcb);
    t.diagnostic(`it took commands after ${seconds.toFixed(1)} s`);
  }

  async function power_off(t) {
    await machine.must_run('kill $(pidof warifu-tcb); while pidof warifu-tcb; do sleep 0.1; done');
    const { wall, cpu } = await machine.power_off();
    t.diagnostic(`it was on for ${wall.toFixed(1)} s and took ${cpu.toFixed(1)} s of processor`);
  }

  /** What an operator puts on a new device. It stays on its disk. */
  async function install() {
    await machine.write('/etc/warifu/root.pem', readFileSync(server.ca));
    await machine.write('/etc/warifu/device.toml', configuration_for(server));
    is_installed = true;
  }

  /** The device's TPM, and whose word there is for it. */
  async function enroll() {
    const ek = await server.write('ek.b64', await machine.must_run('warifu-agent tpm ek'));
    await done('ek-root', 'import', ...machine.tpm.authorities);
    await done('enrollment', 'create', '--registration-id', kId, '--tpm-ek', ek, '--ek-certificate', machine.tpm.certificate);
  }

  /** A test that goes on where the one before ended, and says nothing if that one failed. */
  function step(name, work) {
    test(name, async (t) => {
      if (is_broken) return t.skip('the step before failed');
      is_broken = true;
      await work(t);
      is_broken = false;
    });
  }

  before(async () => {
    server = await Daemon.init();
    await must_run('warifu-signer', ['allow', '--dir', `${server.data_dir}/signer`, '--server-name', kHost]);
    const renewed = await server.warifud('certificate renew', ['--server-name', 'localhost', '--server-name', kHost]);
    assert.equal(renewed.code, 0, renewed.stderr);
    await server.serve();
    await server.login();
    machine = await Machine.make();
  });
  after(async () => {
    await machine?.stop();
    await server?.stop();
  });

  step('is good in every layer, by the policy that it taught', async (t) => {
    await power_on(t, kGoodImage);
    await enroll();
    await machine.must_run(kSensor);
    assert.equal((await attest()).layers.boot, 'none', 'no policy judges it yet');
    const learned = server.file('learned.json');
    writeFileSync(learned, await done('policy', 'learn', kId));
    const { boot, ima } = JSON.parse(readFileSync(learned, 'utf8'));
    for (const claim of ['secure-boot', 'kernel', 'boot-loader', 'separators']) assert.ok(boot.claims.includes(claim), claim);
    for (const file of [kSensor, '/usr/bin/warifu-agent', '/usr/bin/warifu-tcb', '/sbin/init']) assert.ok(ima.files.some(({ path }) => path === file), file);
    await done('policy', 'put', learned);
    const told = await attest();
    assert.deepEqual(told.layers, kAffirming, (await explain()).stdout);
    assert.equal(told.overall, 'affirming');
    const { code, stdout } = await explain();
    assert.equal(code, 0, stdout);
    const { findings } = (await json('attestation', 'show', kId)).result;
    const recorded = findings.find((finding) => finding.code === 'attestation.null-name');
    assert.match(recorded?.what ?? '', /the initramfs recorded/, JSON.stringify(findings.filter(({ layer }) => layer === 'freshness')));
    t.diagnostic(`IMA measured ${(await json('attestation', 'show', kId)).ima_entries} files`);
  });

  step('whose file was changed and run is contradicted in the same boot, and the file is named', async (t) => {
    await machine.must_run(`cp ${kSensor} /root/sensor && echo 'echo 17 degrees, all is well' >>${kSensor}`);
    assert.deepEqual((await attest()).layers, kAffirming, 'nobody ran it');
    await machine.must_run(kSensor);
    assert.deepEqual((await attest()).layers, { ...kAffirming, runtime: 'contraindicated' }, (await explain()).stdout);
    const { code, stdout } = await explain();
    assert.equal(code, 1);
    assert.match(stdout, /Contradicts, so that the device must not be trusted:\n[^]*- runtime: \/usr\/bin\/sensor\n/);
    assert.equal((await contradictions('ima.file-changed')).length, 1, stdout);
    await machine.must_run(`cp /root/sensor ${kSensor} && rm /root/sensor`);
    assert.equal((await attest()).layers.runtime, 'contraindicated', 'what ran once in a boot ran');
    await power_off(t);
  });

  step('with another command line in its unified kernel image is contradicted, and the command line is named', async (t) => {
    await power_on(t, kOtherCommandLine);
    assert.match(await machine.must_run('cat /proc/cmdline'), /mitigations=off/);
    assert.deepEqual((await attest()).layers, { ...kAffirming, boot: 'contraindicated' }, (await explain()).stdout); // all files are as they were
    const { code, stdout } = await explain();
    assert.equal(code, 1);
    assert.match(stdout, /the kernel's command line \(\.cmdline\)/);
    assert.doesNotMatch(stdout, /requires the measurement "the kernel \(\.linux\)"/, 'the kernel is the same');
    assert.match(await done('attestation', 'diff', kId), /\+ PCR 11 EV_IPL [0-9a-f]{16} "\.cmdline"/);
    await power_off(t);
  });

  step('with a kernel that QEMU started past Secure Boot is contradicted, and the kernel is named', async (t) => {
    await power_on(t, kKernelOfQemu);
    assert.match(await machine.must_run('dmesg'), /Secure boot enabled/, 'so it is, and that kernel is not signed');
    assert.deepEqual((await attest()).layers, { ...kAffirming, boot: 'contraindicated' }, (await explain()).stdout);
    const { code, stdout } = await explain();
    assert.equal(code, 1);
    assert.match(stdout, /requires the measurement "the kernel \(\.linux\)", and no log proves it/);
    const kernel = (await contradictions('boot.required')).find(({ where }) => where === 'kernel');
    assert.match(kernel?.came ?? '', /no event is a kernel's/, stdout);
    await power_off(t);
  });
});
