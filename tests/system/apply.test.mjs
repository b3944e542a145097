// A fleet as files: `warifu apply`, `diff`, `export` and `migrate` against a real server.
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { any_ek } from './lib/software_tpm.mjs';

let daemon;
before(async () => {
  daemon = await Daemon.start();
});
after(() => daemon?.stop());

const ek = () => any_ek().toString('base64');
const document = (kind, name, spec) => `---\napiVersion: warifu/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${JSON.stringify(spec)}\n`;
const symmetric = (fill) => ({ type: 'symmetric-key', symmetric_key: { primary_key: Buffer.alloc(32, fill).toString('base64'), secondary_key: Buffer.alloc(32, fill + 1).toString('base64') } });

async function warifu(code, ...args) {
  const outcome = await daemon.operator(args);
  assert.equal(outcome.code, code, `${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}
const ids = async () => (await daemon.warifu('enrollment', 'list', '--json')).map(({ registration_id }) => registration_id);

describe('warifu apply', () => {
  test('MakesTheServerAsTheFilesSayAndAgainChangesNothing', async () => {
    const folder = daemon.file('fleet');
    await mkdir(folder);
    await writeFile(path.join(folder, 'ek.txt'), `${ek()}\n`);
    await writeFile(path.join(folder, 'a.yaml'), document('Enrollment', 'meter-1', { attestation: { type: 'tpm', tpm: { endorsement_key_file: 'ek.txt' } } }) + document('Enrollment', 'meter-2', { attestation: symmetric(1), iot_edge: true }));
    await writeFile(path.join(folder, 'b.jsonl'), `${JSON.stringify({ registration_id: 'meter-3', attestation: symmetric(3) })}\n`);
    await writeFile(path.join(folder, 'README'), 'not for us');

    const dry = await warifu(0, 'apply', '-f', folder, '--dry-run');
    assert.match(dry.stdout, /^created enrollment\/meter-1$/m);
    assert.match(dry.stdout, /3 created, 0 updated, 0 unchanged, 0 refused \(dry run: nothing was changed\)/);
    assert.deepEqual(await ids(), []);
    await warifu(1, 'diff', '-f', folder);

    assert.match((await warifu(0, 'apply', '-f', folder)).stdout, /3 created, 0 updated, 0 unchanged, 0 refused\n$/);
    assert.deepEqual((await ids()).sort(), ['meter-1', 'meter-2', 'meter-3']);
    assert.match((await warifu(0, 'apply', '-f', folder)).stdout, /0 created, 0 updated, 3 unchanged, 0 refused\n$/);
    await warifu(0, 'diff', '-f', folder);
  });

  test('ShowsWhatChangesFromWhatToWhat', async () => {
    const file = await daemon.write('change.yaml', document('Enrollment', 'meter-2', { attestation: symmetric(1), iot_edge: true, reprovision: 'never' }));
    assert.match((await warifu(1, 'diff', '-f', file)).stdout, /^updated enrollment\/meter-2\n {4}reprovision: .* -> never$/m);
    const lines = (await warifu(0, 'apply', '-f', file, '--json')).stdout.trim().split('\n').map(JSON.parse);
    assert.equal(lines.length, 2);
    assert.equal(lines[0].outcome, 'updated');
    assert.equal(lines[0].line, 4);
    assert.deepEqual(lines[1].sum, { created: 0, updated: 1, unchanged: 0, refused: 0, eks_added: 0, eks_unchanged: 0, dry_run: false });
  });

  test('SendsNothingWhenOneFileDoesNotParse', async () => {
    const good = await daemon.write('good.yaml', document('Enrollment', 'never-sent', { attestation: symmetric(5) }));
    for (const [name, text, place] of [
      ['typo.yaml', 'apiVersion: warifu/v1\nkind: Enrollment\nmetadata: {name: x}\nspec:\n  enabeld: true\n  attestation: {type: symmetric-key}\n', /typo\.yaml:5:3/],
      ['bomb.yaml', 'a: &a [x, x]\nb: [*a, *a]\n', /bomb\.yaml:1:4/],
      ['cut.jsonl', '{"registration_id":"a","attestation":{"type":"symmetric-key"}}\n{"registration_id"', /cut\.jsonl:2/],
      ['twice.yaml', document('Enrollment', 'never-sent', { attestation: symmetric(5) }), /declared twice/],
    ]) {
      const bad = await daemon.write(name, text);
      const { stdout, stderr } = await warifu(2, 'apply', '-f', good, '-f', bad);
      assert.equal(stdout, '');
      assert.match(stderr, place);
    }
    await warifu(2, 'apply', '-f', daemon.file('absent.jsonl'));
    assert.ok(!(await ids()).includes('never-sent'));
  });

  test('ReportsWhatTheServerRefusesWithItsPlaceAndDoesTheRest', async () => {
    const file = await daemon.write('mixed.jsonl', `${JSON.stringify({ registration_id: 'bad', attestation: { type: 'tpm', tpm: { endorsement_key: 'QQ==' } } })}\n\n${JSON.stringify({ registration_id: 'fine', attestation: symmetric(7) })}\n`);
    const { stdout } = await warifu(1, 'apply', '-f', file);
    assert.match(stdout, /^refused enrollment\/bad \(.*mixed\.jsonl:1\): /m);
    assert.match(stdout, /^created enrollment\/fine$/m);
  });

  test('SaysHowFarItCameWhenTheServerIsAway', async () => {
    const file = await daemon.write('away.yaml', document('Enrollment', 'away', { attestation: symmetric(9) }));
    const { code, stderr } = await daemon.operator(['apply', '-f', file], { server: 'https://127.0.0.1:1' });
    assert.equal(code, 3);
    assert.match(stderr, /0 of 1 were answered before\. Apply again/);
  });

  test('TakesMoreThanABatch', async () => {
    const lines = Array.from({ length: 2500 }, (_, i) => `${JSON.stringify({ registration_id: `many-${i}`, attestation: symmetric(i % 200) })}\n`);
    const file = await daemon.write('many.jsonl', lines.join(''));
    assert.equal((await warifu(0, 'apply', '--quiet', '-f', file)).stdout, '2500 created, 0 updated, 0 unchanged, 0 refused\n');
  });

  test('TakesGroupsAndTheirEks', async () => {
    const eks = [ek(), ek(), ek()];
    await daemon.write('eks.txt', `# a delivery\n${eks.join('\n')}\n`);
    const file = await daemon.write('group.yaml', document('EnrollmentGroup', 'line-7', { attestation: { type: 'tpm', tpm: { naming: 'm-{ek}' } }, eks_file: 'eks.txt' }));
    assert.match((await warifu(1, 'diff', '-f', file)).stdout, /1 created, .*; 3 EKs added, 0 unchanged/);
    assert.match((await warifu(0, 'apply', '-f', file)).stdout, /1 created, .*; 3 EKs added, 0 unchanged/);
    assert.match((await warifu(0, 'diff', '-f', file)).stdout, /0 created, 0 updated, 1 unchanged, .*; 0 EKs added, 3 unchanged/);

    const second = await daemon.write('second.yaml', document('EnrollmentGroup', 'line-8', { attestation: { type: 'tpm', tpm: { naming: 'n-{ek}' } }, eks_file: 'eks.txt' }));
    const { stdout } = await warifu(1, 'apply', '-f', second);
    assert.match(stdout, /^refused .*line-8.*the group itself: created; its EKs: .*group\.ek_elsewhere/m);
  });
});

describe('warifu export', () => {
  test('IsTakenBackByAnEmptyServerAsItWas', async () => {
    const other = await Daemon.start();
    try {
      for (const format of ['yaml', 'jsonl']) {
        const out = daemon.file(`export.${format}`);
        await warifu(0, 'export', '--with-keys', '--format', format, '--out', out);
        assert.equal((await stat(out)).mode & 0o777, 0o600);
        const applied = await other.operator(['apply', '--quiet', '-f', out]);
        assert.equal(applied.code, 0, applied.stdout + applied.stderr);
        assert.match(applied.stdout, format === 'yaml' ? /^[1-9]\d* created, 0 updated, 0 unchanged, 0 refused/ : /^0 created, 0 updated, [1-9]\d* unchanged, 0 refused/);
        const again = await other.operator(['export', '--with-keys', '--format', format]);
        assert.equal(again.code, 0, again.stderr);
        assert.equal(again.stdout, await readFile(out, 'utf8'));
      }
    } finally {
      await other.stop();
    }
  });

  test('HasNoKeysUnlessAskedFor', async () => {
    const { stdout } = await warifu(0, 'export', '--format', 'jsonl');
    assert.match(stdout, /"symmetric-key"/);
    assert.doesNotMatch(stdout, /primary_key/);
  });
});

describe('warifu migrate azure-dps', () => {
  test('MakesFilesThatApplyTakes', async () => {
    const azure = await daemon.write('azure.json', JSON.stringify([
      { registrationId: 'Azure-1', deviceId: 'azure-1', attestation: { type: 'tpm', tpm: { endorsementKey: ek() }, x509: null, symmetricKey: null }, provisioningStatus: 'enabled', allocationPolicy: null, reprovisionPolicy: { updateHubAssignment: true, migrateDeviceData: true } },
      { registrationId: 'azure-2', attestation: { type: 'symmetricKey', symmetricKey: null }, provisioningStatus: 'disabled' },
    ]));
    const out = daemon.file('converted');
    const { stderr } = await warifu(1, 'migrate', 'azure-dps', '--in', azure, '--out', out);
    assert.match(stderr, /1 converted, 1 not/);
    assert.match(await readFile(path.join(out, 'notes.txt'), 'utf8'), /^NOT CONVERTED azure-2: its keys/m);
    const keys = await daemon.write('keys.json', JSON.stringify({ registrationId: 'azure-2', attestation: { type: 'symmetricKey', symmetricKey: { primaryKey: Buffer.alloc(32, 1).toString('base64'), secondaryKey: Buffer.alloc(32, 2).toString('base64') } } }));
    await warifu(0, 'migrate', 'azure-dps', '--in', azure, '--in', keys, '--out', out);
    assert.match((await warifu(0, 'apply', '-f', out)).stdout, /2 created/);
    const shown = await daemon.warifu('enrollment', 'show', 'azure-2', '--json');
    assert.equal(shown.enabled, false);
  });
});
