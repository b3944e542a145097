// Every real log, list, quote and certificate of WARIFU_TEST_DATA through `warifu`, as an operator has it judged, against its expected
// file. A difference, an item that was not run, a rule and a file that nobody knows fail. Needs no server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from './lib/daemon.mjs';

const kData = process.env.WARIFU_TEST_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const kSkip = existsSync(kData) ? false : `no real data in ${kData}: set WARIFU_TEST_DATA`;
if (kSkip && process.env.WARIFU_TEST_DATA) throw new Error(`WARIFU_TEST_DATA is ${kData}, which is not there`);
const kExpected = '.expected.json';
const options = { skip: kSkip };

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
const read_json = (file) => JSON.parse(readFileSync(file, 'utf8'));

// The items of a folder: {file, expected}. `companions` are what else may stand beside an item, as ends of names.
function items_of(folder, companions = []) {
  const names = new Set(readdirSync(path.join(kData, folder)));
  const items = [...names].filter((name) => name.endsWith(kExpected)).map((name) => {
    const expected = read_json(path.join(kData, folder, name));
    const stem = name.slice(0, -kExpected.length);
    for (const known of [name, expected.file, ...companions.map((end) => stem + end)]) names.delete(known);
    return { stem, expected, file: path.join(kData, folder, expected.file ?? stem) };
  });
  assert.deepEqual([...names], [], `files of ${folder} that no expected file speaks of`);
  assert.ok(items.length > 0, folder);
  return items;
}

let folder;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'warifu-real-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function changed(name, bytes) {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  return file;
}

async function told(...args) {
  const { code, stdout, stderr } = await run('warifu', [...args, '--json']);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout);
}

async function refused(...args) {
  const outcome = await run('warifu', [...args, '--json']);
  assert.ok([1, 2].includes(outcome.code), `${args.join(' ')}: exit ${outcome.code}`);
  return outcome;
}

// Malformed input: nothing is told, and the error says where.
async function refused_with_place(...args) {
  const { code, stdout, stderr } = await refused(...args);
  assert.deepEqual([code, stdout], [2, ''], args.join(' '));
  assert.match(stderr, /offset \d+/);
}

describe('warifu eventlog, on real logs', options, () => {
  const kNoLogs = ['ima', 'quotes', 'README.md'];
  // What `must` demands: refused, or how the replay stands to the base's.
  const rule_of = (must) =>
    /^reject|must be refused \(PFP/.test(must) ? 'refused'
    : /replays equal/i.test(must) ? 'equal'
    : /replay mismatch|must NOT equal/.test(must) ? 'other'
    : assert.fail(`an unknown rule: ${must}`);

  async function compare({ file, expected }) {
    const answer = await told('eventlog', 'replay', file);
    const kind = answer.register_kind === 'RTMR' ? 'TDX MR index (1=RTMR0)' : answer.register_kind;
    assert.deepEqual(
      [answer.format, kind, answer.startup_locality, answer.event_count, answer.end_offset],
      [expected.format, expected.register_kind, expected.startup_locality, expected.events, expected.log_end_offset], file);
    assert.deepEqual(answer.pcrs, expected.pcrs, file);
    const { events, claims } = await told('eventlog', 'show', file);
    assert.equal(events.length, expected.events);
    assert.ok(expected.algorithms.includes(claims.bank), file);
  }

  test('ReplaysEachAsItsExpectedFileSays', async () => {
    const folders = readdirSync(path.join(kData, 'eventlogs')).filter((name) => !kNoLogs.includes(name));
    const replays = {};
    for (const item of folders.flatMap((name) => items_of(`eventlogs/${name}`, ['.pcrs.yaml', '.tdquote.bin']))) {
      assert.equal(sha256(item.file), item.expected.sha256, item.file);
      const rule = item.expected.must ? rule_of(item.expected.must) : 'compare';
      if (rule === 'compare') await compare(item);
      else if (rule === 'refused') for (const verb of ['replay', 'show']) await refused_with_place('eventlog', verb, item.file);
      else ((replays[item.expected.base] ??= { equal: [], other: [] })[rule]).push((await told('eventlog', 'replay', item.file)).pcrs);
    }
    for (const { equal, other } of Object.values(replays)) {
      assert.ok(equal.length > 1);
      for (const pcrs of equal) assert.deepEqual(pcrs, equal[0]);
      for (const pcrs of other) assert.notDeepEqual(pcrs, equal[0]);
    }
  });

  test('L2_AVariableThatWasChangedIsNotProved', async () => {
    const { file } = items_of('eventlogs/mutated').find(({ stem }) => stem.includes('secureboot-var-data-changed')) ?? assert.fail('that log is not there');
    const { events, claims } = await told('eventlog', 'show', file);
    assert.equal(claims.secure_boot.enabled, null);
    assert.ok(events.some(({ type, data_proved }) => type === 'EV_EFI_VARIABLE_DRIVER_CONFIG' && !data_proved));
  });
});

describe('warifu ima, on real lists', options, () => {
  const in_banks_of = (answer, expected) => Object.fromEntries(Object.keys(expected).map((bank) => [bank, answer?.[bank]]));

  async function compare(file, expected) {
    const answer = await told('ima', 'replay', file);
    assert.deepEqual([answer.entries, answer.templates], [expected.entries, expected.templates], file);
    if (expected.violations !== undefined) assert.equal(answer.violations, expected.violations, file);
    for (const [ours, theirs] of [['replay_native', expected.replay_native ?? expected.replay], ['replay_padded_sha1', expected.replay_padded_sha1 ?? expected.replay_padded]])
      if (theirs) assert.deepEqual(in_banks_of(answer[ours], theirs), theirs, file);
    // Made of SHA-1 template digests alone, which some lists do not have.
    if (expected.pcr10_sha1_replay && answer.template_digest_alg === 'sha1') assert.equal(answer.replay_native.sha1[10], expected.pcr10_sha1_replay, file);
    assert.equal((await told('ima', 'show', file)).entries.length, expected.entries, file);
  }

  test('ReplaysEachAsItsExpectedFileSays', async () => {
    for (const { file, expected } of items_of('eventlogs/ima')) {
      assert.equal(sha256(file), expected.sha256, file);
      if (expected.must || typeof expected.parsed === 'string') {
        for (const verb of ['replay', 'show']) await refused_with_place('ima', verb, file);
        continue;
      }
      await compare(file, expected.parsed ?? expected);
      const bytes = readFileSync(file);
      await refused('ima', 'replay', await changed('list', bytes.subarray(0, bytes.length - 2)));
    }
  });
});

describe('warifu quote verify, on real quotes', options, () => {
  const kParts = ['.attest.bin', '.sig.bin', '.ak.pem', '.ak.tpmt_public.bin'];

  async function verify(item, part, more = {}) {
    const nonce = more.nonce ?? item.expected.attest.extraData;
    const files = { ak: item.file + part, message: `${item.file}.attest.bin`, signature: `${item.file}.sig.bin`, ...more.files };
    const pcrs = more.pcrs ?? item.expected.pcrs;
    if (pcrs) files.pcrs = await changed('pcrs', JSON.stringify(pcrs));
    return run('warifu', ['quote', 'verify', '--nonce', nonce, ...Object.entries(files).flatMap(([name, file]) => [`--${name}`, file]), '--json']);
  }

  function compare({ file, expected }, part, { code, stdout, stderr }) {
    // A bare key is no proved AK: whether that ends with 1 is not what these files speak of.
    assert.ok(code === 0 || (part === '.ak.pem' && /\[ak\.|ak\.attributes-unknown/.test(stderr)), `${file}${part}: ${stderr}`);
    const { quote, pcrs } = JSON.parse(stdout);
    const { attest } = expected;
    for (const field of ['qualifiedSigner', 'extraData', 'clock', 'resetCount', 'restartCount', 'firmwareVersion', 'pcrSelect', 'pcrDigest'])
      assert.deepEqual(quote[field], attest[field], `${file}: ${field}`);
    assert.deepEqual([quote.safe, quote.signature], [attest.safe === 1, expected.signature], file);
    if (part !== '.ak.pem') assert.equal(quote.ak.name, expected.ak_name);
    if (!expected.pcrs) return;
    for (const [bank, indices] of attest.pcrSelect)
      assert.deepEqual(pcrs[bank], Object.fromEntries(indices.map((index) => [index, expected.pcrs[bank][index]])), file);
  }

  async function expect_twins_refused(item, part) {
    const flipped = (name) => {
      const bytes = readFileSync(`${item.file}.${name}.bin`);
      bytes[bytes.length - 1] ^= 1;
      return changed(name, bytes);
    };
    const twins = {
      nonce: { nonce: `${item.expected.attest.extraData}00` },
      message: { files: { message: await flipped('attest') } },
      signature: { files: { signature: await flipped('sig') } },
    };
    if (item.expected.pcrs) {
      const pcrs = structuredClone(item.expected.pcrs);
      const [bank, [index]] = item.expected.attest.pcrSelect[0];
      pcrs[bank][index] = pcrs[bank][index].replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
      twins.value = { pcrs };
    }
    for (const [what, twin] of Object.entries(twins)) {
      const { code, stderr } = await verify(item, part, twin);
      assert.ok([1, 2].includes(code) && !/attributes-unknown/.test(stderr), `${item.file}${part}, another ${what}: exit ${code}, ${stderr}`);
    }
  }

  test('SaysOfEachWhatItsExpectedFileSaysAndRefusesItsTwins', async () => {
    for (const item of items_of('eventlogs/quotes', kParts)) {
      assert.ok(item.expected.signature_valid, 'a quote that is expected to be refused');
      const keys = kParts.slice(2).filter((end) => existsSync(item.file + end));
      assert.ok(keys.length > 0, `${item.file} has no key`);
      for (const part of keys) {
        compare(item, part, await verify(item, part));
        await expect_twins_refused(item, part);
      }
    }
  });
});

describe('warifu ek-certificate, on real certificates', options, () => {
  const certificates = (name) => path.join(kData, 'ek-certs', name);
  const authorities = ['--roots', certificates('vendor-roots/all-roots.pem'), '--intermediates', certificates('vendor-intermediates/all-intermediates.pem'), '--ignore-time'];
  const verify = (file, ...more) => run('warifu', ['ek-certificate', 'verify', file, ...authorities, ...more, '--json']);

  async function compare_fields(file, expected) {
    const shown = await told('ek-certificate', 'show', file);
    const { tpmManufacturer, tpmModel, tpmVersion } = expected.tpm_attributes;
    assert.deepEqual([shown.tpm.manufacturer, shown.tpm.model, shown.tpm.version], [tpmManufacturer, tpmModel, tpmVersion], file);
    assert.deepEqual([shown.padding, shown.ek_purpose], [expected.trailing_padding, expected.eku_ek_certificate], file);
    assert.equal(shown.findings.includes('not-der'), expected.strict_der_note !== null, file);
    assert.equal(shown.key.oaep ?? false, expected.spki_algorithm === 'rsaesOaep', file);
    return shown;
  }

  test('K1_K2_K3_K4_JudgesEachAsItsExpectedFileSays', async () => {
    for (const { file, expected } of items_of('ek-certs/leaf')) {
      assert.equal(sha256(file), expected.sha256, file);
      const shown = await compare_fields(file, expected);
      const { code, stdout } = await verify(file);
      const verdict = JSON.parse(stdout);
      if (expected.openssl_chain.startsWith('error 20')) {
        assert.deepEqual([code, verdict.code, verdict.missing.name], [1, 'endorsement.path.missing-ca', shown.issuer], file);
        continue;
      }
      // OpenSSL cannot read the key of some leaves, which costs nothing here.
      assert.ok(expected.openssl_chain === 'OK' || expected.spki_algorithm === 'rsaesOaep', expected.openssl_chain);
      assert.deepEqual([code, verdict.verdict], [0, 'trusted'], file);
      if (expected.openssl_chain === 'OK') assert.equal(verdict.path.length, expected.chain.length - 1, file);
      const bytes = readFileSync(file);
      bytes[expected.der_length - 1] ^= 1;
      assert.equal((await verify(await changed('twin.der', bytes))).code, 1, `${file}, another signature`);
      assert.equal((await verify(file, '--vendor', 'XYZ')).code, 1, `${file}, roots of another maker`);
    }
  });

  test('K10_RocaSamplesAreJudgedRight', async () => {
    for (const { file, expected } of items_of('ek-certs/roca')) {
      const { stdout } = await run('warifu', ['tpm-flaws', 'check', '--key', file, '--json']);
      const roca = JSON.parse(stdout).flaws.find(({ id }) => id === 'CVE-2017-15361');
      assert.equal(roca.verdict === 'affected', expected.roca_vulnerable, file);
    }
  });

  test('PlatformCertificatesAreNoEkCertificates', async () => {
    const names = readdirSync(certificates('platform-certs')).filter((name) => name.endsWith('.cer'));
    assert.ok(names.length > 0);
    for (const name of names) await refused('ek-certificate', 'verify', certificates(`platform-certs/${name}`), ...authorities);
  });
});
