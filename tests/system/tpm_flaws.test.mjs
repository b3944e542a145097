// News about a TPM flaw, from the operator's signature to the devices: real programs, a software TPM, and a package that accuses its firmware.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EkMaker } from '../interop/lib/ek_maker.mjs';
import { Daemon } from './lib/daemon.mjs';
import { without_users } from './lib/device.mjs';
import { Machine } from './lib/machine.mjs';
import { operator_of } from './lib/operator.mjs';

const kId = 'flawed';
const kSource = { url: 'https://maker.example/advisory', seen: 'its list', confirmed: '2026-11-29' };

describe('News about a TPM flaw', { skip: without_users }, () => {
  let server;
  let machine;
  let accused; // the options of a package that accuses this firmware
  const { done, json, refused } = operator_of(() => server);
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const shown = () => json('attestation', 'show', kId);
  const hardware = async () => (await shown()).result.layers.hardware;

  /** FILE --signature SIG --key PEM of a package. */
  async function package_of(name, content, { key = signer } = {}) {
    const text = Buffer.from(JSON.stringify(content));
    return [await server.write(`${name}.json`, text), '--signature', await server.write(`${name}.sig`, sign('sha256', text, key.privateKey)),
      '--key', await server.write('signer.pem', signer.publicKey.export({ type: 'spki', format: 'pem' }))];
  }
  const flaws_of = (rules) => ({
    format: 'warifu.tpm-flaws.v1', issued: '2026-11-29',
    flaws: [{ id: 'TEST-1', name: 'News', summary: 'It leaks.', published: '2026-11-29', sources: ['https://maker.example'], elsewhere: 'unknown', rules }],
  });
  async function put_policy(name, content, ...options) {
    return done('policy', 'put', ...options, await server.write(`${name}.json`, JSON.stringify({ format: 'warifu.evidence-policy.v1', ...content })));
  }

  before(async () => {
    server = await Daemon.start();
    const maker = new EkMaker(path.join(server.folder, 'maker'), 'Test');
    await done('ek-root', 'import', maker.file('root.pem'), maker.file('ca.pem'));
    machine = await Machine.prepare(server, kId);
    await machine.boot('uki-secure-boot');
    const { stdout } = await machine.device.administrator(['tpm', 'ek']);
    const ek = Buffer.from(stdout.trim(), 'base64');
    await done('enrollment', 'create', '--registration-id', kId, '--tpm-ek', await server.write('ek.b64', stdout), '--ek-certificate', maker.certify(ek));
    await machine.attest();
    // As Infineon counts, whose TPM this one's certificate says it is.
    const firmware = BigInt(`0x${(await shown()).quote.firmware_version}`);
    const first = Number(firmware >> 48n);
    accused = await package_of('accusing', flaws_of([{ manufacturer: 'IFX', affected: [{ from: `${first}.0`, before: `${first + 1}.0` }], source: kSource }]));
  });
  after(async () => {
    await machine?.stop();
    await server?.stop();
  });

  test('the server knows which TPM it is, and its true firmware version', async () => {
    const { findings, layers } = (await shown()).result;
    assert.equal(layers.hardware, 'affirming');
    const version = findings.find(({ code }) => code === 'hardware.firmware-version');
    assert.match(version.came, /^IFX SLB9670, firmware \d+\.\d+/);
    assert.equal((await json('tpm-flaws', 'show')).source, 'built-in');
    assert.match(await done('tpm-flaws', 'show'), /source +built-in[^]*CVE-2017-15361/);
    await refused(1, /data_package\.unknown/, 'firmware-quirks', 'show');
  });

  test('who is affected is told before anything is changed', async () => {
    const tried = await json('tpm-flaws', 'test', ...accused);
    assert.deepEqual(tried.summary, { judged: 1, fails: 0, worse: 1, better: 0, same: 0, unknown: 0 });
    assert.match(await done('tpm-flaws', 'test', ...accused), /^flawed +IFX SLB9670, firmware [0-9.]+ +worse +TEST-1: News \(TEST-1\)/m);
    await machine.attest();
    assert.equal(await hardware(), 'affirming', 'nothing was stored');
    assert.match(await done('tpm-flaws', 'devices'), /no flaw is known/);
  });

  test('what another key signed is taken nowhere', async () => {
    const forged = await package_of('forged', flaws_of([]), { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
    for (const verb of ['put', 'test']) await refused(1, /endorsement\.data\.signature/, 'tpm-flaws', verb, ...forged);
    assert.equal((await json('tpm-flaws', 'show')).source, 'built-in');
  });

  test('the package judges the next attestation, and a policy says what it weighs', async () => {
    assert.match(await done('tpm-flaws', 'put', ...accused), /^the package of tpm-flaws is created/);
    await machine.attest();
    assert.equal(await hardware(), 'warning');
    assert.match((await server.operator(['attestation', 'explain', kId])).stdout, /News \(TEST-1\)/);
    assert.match(await done('tpm-flaws', 'devices'), /^flawed +IFX SLB9670, firmware [0-9.]+ +warning +TEST-1$/m);

    await put_policy('strict', { hardware: { flaws: 'fail' } });
    assert.equal((await machine.attest()).layers.hardware, 'contraindicated');
    await put_policy('accepting', { hardware: { flaws: 'fail', accepted_flaws: ['TEST-1'], classes: ['discrete'], ek_certificate: 'required' } });
    assert.equal((await machine.attest()).layers.hardware, 'affirming');
    assert.match(await done('policy', 'show'), /TPM +known flaws fail, .*accepted: TEST-1, of the class discrete, with a trusted EK certificate/);
    await done('tpm-flaws', 'delete');
    await machine.attest();
    assert.doesNotMatch(JSON.stringify((await shown()).result), /TEST-1/);
  });

  test('a waiver lets a register differ on the machine that the policy names, and is told', async () => {
    const waivers = (product, until = '2099-12-31') => ({
      format: 'warifu.firmware-quirks.v1', quirks: [],
      waivers: [{ id: 'waiver-1', machine: { manufacturer: 'Acme', product }, bank: 'sha256', pcr: 14, reason: 'never replays', approved_by: 'ops', until }],
    });
    await done('firmware-quirks', 'put', ...await package_of('quirks', waivers('Box')));
    assert.match(await done('firmware-quirks', 'show'), /waiver-1 +Acme +Box +sha256 +14 +2099-12-31/);
    await put_policy('machine', { machine: { manufacturer: 'Acme', product: 'Box' } }, '--registration-id', kId);
    await machine.attest();
    assert.match(await done('policy', 'show', '--registration-id', kId), /machine +Acme Box: signed quirks and waivers for it apply/);
    await refused(2, /policy\.machine/, 'policy', 'put', await server.write('everywhere.json', JSON.stringify({ format: 'warifu.evidence-policy.v1', machine: { manufacturer: 'Acme', product: 'Box' } })));
    await done('firmware-quirks', 'delete');
  });
});
