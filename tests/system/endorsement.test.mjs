// `warifu ek-certificate` and `warifu tpm-flaws` as a script uses them: verdicts, exit codes, what is missing. Needs no server.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { must_run, run } from './lib/daemon.mjs';

const kData = process.env.WARIFU_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const kNoData = existsSync(kData) ? false : `no real certificates in ${kData}`;
const kStm = 'id:53544D20';
const kIfx = 'id:49465800';
const kKeyId = 'subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid:always';

let folder;
const file = (name) => path.join(folder, name);
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-endorsement-'));
  await authority('root', 'STMicroelectronics NV');
  await authority('issuer', 'STMicroelectronics NV', 'root');
  await ek('ek', kStm);
});
after(() => rm(folder, { recursive: true }));

// NAME.pem and NAME.key under ISSUER, or for itself.
async function certificate(name, subject, extensions, issuer) {
  await writeFile(file('config'), `[req]\ndistinguished_name = dn\nprompt = no\n[dn]\n${subject}\n[x]\n${extensions}\n`);
  const signer = issuer ? ['-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`)] : [];
  await must_run('openssl', ['req', '-new', '-config', file('config'), '-newkey', 'rsa:2048', '-nodes', '-keyout', file(`${name}.key`), '-out', file('csr')]);
  const signing = issuer ? signer : ['-signkey', file(`${name}.key`)];
  await must_run('openssl', ['x509', '-req', '-in', file('csr'), '-days', '30', '-extfile', file('config'), '-extensions', 'x', '-set_serial', '7', ...signing, '-out', file(`${name}.pem`)]);
}
const authority = (name, organization, issuer) =>
  certificate(name, `O = ${organization}\nCN = ${name}`, `basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n${kKeyId}`, issuer);
const ek = (name, manufacturer) =>
  certificate(name, 'CN = EK', `basicConstraints = critical, CA:FALSE\nkeyUsage = critical, keyEncipherment\nextendedKeyUsage = 2.23.133.8.1
subjectAltName = critical, dirName:tpm\nauthorityInfoAccess = caIssuers;URI:http://pki.example/issuer.crt\n${kKeyId}
[tpm]\n1.2.23.133.2.1 = ${manufacturer}\n2.2.23.133.2.2 = ST33HTPHAHD8\n3.2.23.133.2.3 = id:00490004`, 'issuer');

const verify = (name, ...options) => run('warifu', ['ek-certificate', 'verify', file(`${name}.pem`), '--roots', file('root.pem'), ...options]);
const check = (...options) => run('warifu', ['tpm-flaws', 'check', ...options]);
const flaws_of = async (...options) => {
  const { code, stdout, stderr } = await check('--json', ...options);
  const told = JSON.parse(stdout);
  return { code, stderr, told, flaws: Object.fromEntries(told.flaws.map((flaw) => [flaw.id, flaw])) };
};

describe('warifu ek-certificate', () => {
  test('ShowsAnEkCertificate', async () => {
    const { code, stdout } = await run('warifu', ['ek-certificate', 'show', file('ek.pem'), '--json']);
    assert.equal(code, 0);
    const told = JSON.parse(stdout);
    assert.deepEqual(told.tpm, { manufacturer: kStm, vendor: 'STM', model: 'ST33HTPHAHD8', version: 'id:00490004' });
    assert.deepEqual([told.ek_purpose, told.key.kind, told.key.bits, told.key.roca, told.padding], [true, 'rsa', 2048, false, 0]);
    assert.deepEqual(told.issuer_urls, ['http://pki.example/issuer.crt']);
    assert.match((await run('warifu', ['ek-certificate', 'show', file('ek.pem')])).stdout, /Model +ST33HTPHAHD8/);
  });

  test('FindsThePathToAGivenRoot', async () => {
    const { code, stdout, stderr } = await verify('ek', '--intermediates', file('issuer.pem'), '--json');
    assert.equal(code, 0, stderr);
    const told = JSON.parse(stdout);
    assert.deepEqual([told.verdict, told.vendor, told.model, told.class, told.path.length], ['trusted', 'STM', 'ST33HTPHAHD8', 'discrete', 2]);
    assert.match((await verify('ek', '--intermediates', file('issuer.pem'))).stdout, /^trusted: a discrete TPM of STM, ST33HTPHAHD8 id:00490004$/m);
  });

  test('K5_RefusesARootOfAnotherMaker', async () => {
    await ek('stranger', kIfx);
    const { code, stdout } = await verify('stranger', '--intermediates', file('issuer.pem'), '--json');
    assert.equal(code, 1);
    assert.deepEqual([JSON.parse(stdout).verdict, JSON.parse(stdout).code], ['refused', 'endorsement.path.vendor']);
    const told_so = await verify('stranger', '--intermediates', file('issuer.pem'), '--vendor', 'IFX', '--json');
    assert.equal(told_so.code, 0, told_so.stderr); // the operator says for whom his roots speak
  });

  test('NamesTheAuthorityThatIsMissing', async () => {
    const { code, stdout, stderr } = await verify('ek', '--json');
    assert.equal(code, 1);
    const told = JSON.parse(stdout);
    assert.equal(told.code, 'endorsement.path.missing-ca');
    assert.match(told.missing.name, /CN=issuer/);
    assert.match(told.missing.key_id, /^[0-9a-f]{40}$/);
    assert.deepEqual(told.missing.urls, ['http://pki.example/issuer.crt']);
    assert.match(stderr, /CN=issuer.*\[endorsement\.path\.missing-ca\]/s);
  });

  test('RefusesWhatIsOverForgedOrNoCertificate', async () => {
    const late = await verify('ek', '--intermediates', file('issuer.pem'), '--at', '2060-01-01T00:00:00Z', '--json');
    assert.deepEqual([late.code, JSON.parse(late.stdout).verdict], [1, 'refused']);
    assert.equal((await verify('ek', '--intermediates', file('issuer.pem'), '--ignore-time')).code, 0);

    const lines = (await readFile(file('ek.pem'), 'utf8')).split('\n');
    const der = Buffer.from(lines.slice(1, -2).join(''), 'base64');
    der[der.length - 1] ^= 1;
    await writeFile(file('forged.pem'), der);
    const forged = await verify('forged', '--intermediates', file('issuer.pem'), '--json');
    assert.deepEqual([forged.code, JSON.parse(forged.stdout).verdict], [1, 'refused']);

    await writeFile(file('nothing.pem'), 'nothing');
    for (const [exit, ...args] of [[2, 'show', file('nothing.pem')], [2, 'show', file('missing.pem')], [2, 'verify', file('nothing.pem'), '--roots', file('root.pem')]]) {
      const { code, stdout, stderr } = await run('warifu', ['ek-certificate', ...args]);
      assert.equal(code, exit, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /\[[a-z.-]+\]/);
    }
  });

  test('SaysHowItIsCalled', async () => {
    for (const [args, words] of [
      [['ek-certificate', '--help'], ['show', 'verify']],
      [['ek-certificate', 'verify', '--help'], ['--roots', '--intermediates', '--crl', '--vendor', '--at', '--ignore-time']],
      [['tpm-flaws', 'check', '--help'], ['--ek-certificate', '--firmware', '--data-signature']],
    ]) {
      const { code, stdout } = await run('warifu', args);
      assert.equal(code, 0);
      for (const word of words) assert.ok(stdout.includes(word), `${args.join(' ')}: ${word}`);
    }
    assert.equal((await run('warifu', ['ek-certificate', 'verify', file('ek.pem')])).code, 2); // no roots
  });

  test('RealCertificatesUnderRealRoots', { skip: kNoData }, async () => {
    const real = (name) => path.join(kData, 'ek-certs', name);
    const authorities = ['--intermediates', real('vendor-intermediates/all-intermediates.pem'), '--ignore-time', '--json'];
    const leaf = real('leaf/stm__6de7b2a29b.der');
    const under = (roots) => run('warifu', ['ek-certificate', 'verify', leaf, '--roots', roots, ...authorities]);
    const good = await under(real('vendor-roots/all-roots.pem'));
    assert.equal(good.code, 0, good.stderr);
    assert.equal(JSON.parse(good.stdout).vendor, 'STM');
    const other = await under(real('vendor-roots/infineon__Infineon-OPTIGA-TM-RSA-Root-CA-2-b413c715.pem'));
    assert.deepEqual([other.code, JSON.parse(other.stdout).verdict], [1, 'refused']);
  });
});

describe('warifu tpm-flaws check', () => {
  test('KnowsAffectedFixedAndUnknownFirmware', async () => {
    for (const [firmware, verdict] of [['7.61.2785.0', 'affected'], ['7.62.3126.0', 'not-affected'], ['15.23', 'unknown']]) {
      const { code, flaws } = await flaws_of('--manufacturer', 'IFX', '--firmware', firmware);
      assert.equal(flaws['CVE-2017-15361'].verdict, verdict, firmware);
      assert.equal(code, 1, 'others are unknown, and unknown is not safe');
    }
    const { flaws } = await flaws_of('--manufacturer', 'IFX', '--firmware-1', '0x0007003D', '--firmware-2', '000AE100');
    assert.equal(flaws['CVE-2017-15361'].reason, 'firmware 7.61.2785.0 is affected');
  });

  test('SaysByWhichPageAndWhatNobodyConfirmed', async () => {
    const { told, flaws } = await flaws_of('--manufacturer', 'IFX', '--model', 'SLB9672', '--firmware', '15.23');
    assert.equal(told.data_source, 'built-in');
    assert.equal(flaws['CVE-2025-2884'].verdict, 'unknown');
    assert.equal(flaws['CVE-2025-2884'].source.confirmed, null);
    assert.match(flaws['CVE-2025-2884'].reason, /nobody confirmed/);
    assert.match(flaws['CVE-2019-16863'].source.confirmed, /^\d{4}-\d\d-\d\d$/);
    assert.match((await check('--manufacturer', 'IFX')).stdout, /came with the program/);
  });

  test('TakesMakerModelAndKeyFromACertificate', async () => {
    const { flaws } = await flaws_of('--ek-certificate', file('ek.pem'), '--firmware', '73.4');
    // Certificates name the chip, ST's list the product: it can accuse, and not clear.
    assert.equal(flaws['CVE-2019-16863'].verdict, 'affected');
    assert.equal(flaws['CVE-2017-15361'].verdict, 'not-affected');
    assert.equal((await flaws_of('--ek-certificate', file('ek.pem'), '--firmware', '73.20')).flaws['CVE-2019-16863'].verdict, 'unknown');
  });

  test('K10_RefusesAPublishedRocaKeyWhateverTheFirmware', { skip: kNoData }, async () => {
    const of = (sample) => flaws_of('--manufacturer', 'IFX', '--firmware', '7.62', '--key', path.join(kData, 'ek-certs/roca', sample));
    const weak = await of('cert05.pem');
    assert.deepEqual([weak.code, weak.flaws['CVE-2017-15361'].verdict], [1, 'affected']);
    assert.match(weak.flaws['CVE-2017-15361'].reason, /RSALib/);
    assert.match(weak.stderr, /\[tpm-flaws\.not-safe\]/);
    assert.equal((await of('cert01.pem')).flaws['CVE-2017-15361'].verdict, 'not-affected');
  });

  test('JudgesByAPackageThatTheOperatorSigned', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = JSON.stringify({
      format: 'warifu.tpm-flaws.v1', issued: '2026-11-29',
      flaws: [{ id: 'F', name: 'f', summary: 's', published: '2026-01-01', sources: ['https://acme.example'], elsewhere: 'unknown',
        rules: [{ manufacturer: 'IFX', not_affected: [{ from: '1.0', before: '2.0' }], source: { url: 'https://acme.example', seen: 'all', confirmed: '2026-11-29' } }] }],
    });
    await writeFile(file('key.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
    await writeFile(file('flaws.sig'), sign('sha256', text, privateKey));
    const by = (content) => writeFile(file('flaws.json'), content).then(() =>
      check('--json', '--manufacturer', 'IFX', '--firmware', '1.5', '--data', file('flaws.json'), '--data-signature', file('flaws.sig'), '--data-key', file('key.pem')));
    const good = await by(text);
    assert.equal(good.code, 0, good.stderr);
    assert.equal(JSON.parse(good.stdout).data_source, 'operator');
    const other = await by(text.replace('1.0', '0.1'));
    assert.notEqual(other.code, 0);
    assert.match(other.stderr, /\[endorsement\.data\.signature\]/);
    assert.equal(other.stdout, '');
  });

  test('RefusesWhatItCannotRead', async () => {
    for (const [args, code] of [
      [['--manufacturer', 'TOOLONG'], /\[tpm-flaws\.manufacturer\]/],
      [['--manufacturer', 'IFX', '--firmware', '7.x'], /\[tpm-flaws\.firmware\]/],
      [['--manufacturer', 'IFX', '--firmware-1', '7Z', '--firmware-2', '0'], /\[tpm-flaws\.firmware\]/],
      [['--firmware-1', '7', '--firmware-2', '0'], /\[tpm-flaws\.firmware\]/],
    ]) {
      const outcome = await check(...args);
      assert.equal(outcome.code, 2, outcome.stderr);
      assert.match(outcome.stderr, code);
    }
  });
});
