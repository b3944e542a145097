// `warifu ek-root`: who may certify endorsement keys, CRLs, distrust and whom it affects, against a real server.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { operator_of } from './lib/operator.mjs';
import { EkMaker } from '../interop/lib/ek_maker.mjs';
import { any_ek } from './lib/software_tpm.mjs';

let daemon;
let maker;
before(async () => {
  daemon = await Daemon.start();
  maker = new EkMaker(daemon.file('maker'), 'Test');
});
after(() => daemon?.stop());

const { done, json, refused } = operator_of(() => daemon);

async function enroll(id, ek, certificate) {
  const file = await daemon.write(`${id}.pub`, ek);
  return json('enrollment', 'create', '--registration-id', id, '--tpm-ek', file, '--ek-certificate', certificate);
}
const verdict_of = async (id) => (await json('enrollment', 'show', id)).ek_certificate.verdict;

describe('Authorities', () => {
  test('AreImportedOnceAndNameForWhomTheySpeak', async () => {
    const ek = any_ek();
    const enrolled = await enroll('meter-1', ek, maker.certify(ek));
    assert.equal(enrolled.ek_certificate.verdict.code, 'endorsement.path.missing-ca');
    assert.match(enrolled.ek_certificate.verdict.missing.name, /CN=Test ca/);
    assert.match(await done('enrollment', 'show', 'meter-1'), /ek certificate is +refused\nbecause +the authority .*Test ca.* is not there/);
    assert.match(await done('registration', 'explain', 'meter-1'), /\nek certificate +[0-9a-f]{64}\n +is +refused\n +because +the authority .*Test ca.* is not there\n/);

    const files = [maker.file('root.pem'), maker.file('ca.pem')];
    assert.deepEqual((await json('ek-root', 'import', ...files, '--dry-run')).map(({ outcome }) => outcome), ['added', 'added']);
    assert.deepEqual(await json('ek-root', 'list'), []);
    const bundle = await daemon.write('bundle.pem', files.map((file) => readFileSync(file, 'utf8')).join('\n'));
    const imported = await done('ek-root', 'import', bundle);
    assert.match(imported, /added +[0-9a-f]{64} +root +IFX \(discrete\) +- +CN=Test root/);
    assert.match(imported, /added +[0-9a-f]{64} +intermediate +- +- +CN=Test ca/);
    assert.deepEqual((await json('ek-root', 'import', ...files)).map(({ outcome }) => outcome), ['unchanged', 'unchanged']);
    assert.equal((await json('ek-root', 'list')).length, 2);
    assert.deepEqual([(await verdict_of('meter-1')).verdict, (await verdict_of('meter-1')).class], ['trusted', 'discrete']);
    assert.match(await done('registration', 'explain', 'meter-1'), /\n +is +trusted\n +because +-\n +tpm maker +IFX\n +tpm class +discrete\n +root +CN=Test root/);
    assert.match(await done('enrollment', 'show', 'meter-1'), /\ntpm maker +IFX\ntpm class +discrete\ntpm root +CN=Test root/);
    assert.equal((await json('ek-root', 'show', maker.fingerprint('root'))).role, 'root');
  });

  test('AreNotWhatIsNone', async () => {
    const other = new EkMaker(daemon.file('other'), 'Other');
    const ek = any_ek();
    await refused(2, /CA:TRUE/, 'ek-root', 'import', other.certify(ek));
    await refused(2, /endorsement\.root\.certificate/, 'ek-root', 'import', await daemon.write('noise', Buffer.alloc(100_000, 7)));
    await refused(2, /no END line/, 'ek-root', 'import', await daemon.write('half.pem', readFileSync(other.file('root.pem'), 'utf8').slice(0, 300)));
    const der = Buffer.from(readFileSync(other.file('root.pem'), 'utf8').replace(/-----[^-]*-----|\s/g, ''), 'base64');
    der[der.length - 1] ^= 1;
    await refused(2, /its signature is not its own/, 'ek-root', 'import', await daemon.write('forged.der', der));
    await refused(2, /vendor/, 'ek-root', 'import', '--vendor', 'nobody at all', other.file('root.pem'));
    await refused(2, /X509 CRL/, 'ek-root', 'import', '--crl', other.file('root.pem'));
    await refused(1, /no imported authority/, 'ek-root', 'show', other.fingerprint('root'));
    await refused(2, /hexadecimal/, 'ek-root', 'show', 'abc');
    await refused(1, /was not imported/, 'ek-root', 'import', '--crl', other.crl());
    assert.equal((await json('ek-root', 'list')).length, 2);
  });

  test('AreForThoseWhoMay', async () => {
    const token = await daemon.new_bootstrap_token();
    assert.equal((await daemon.operator(['--profile', 'reader', 'login', '--token-file', '-', '--permission', 'ek-root:read'], { input: token })).code, 0);
    const as_reader = (...args) => daemon.operator(['--profile', 'reader', ...args]);
    assert.equal((await as_reader('ek-root', 'list')).code, 0);
    for (const args of [['import', maker.file('root.pem')], ['trust', maker.fingerprint('root')], ['distrust', maker.fingerprint('root'), '--reason', 'x']]) {
      const { code, stderr } = await as_reader('ek-root', ...args);
      assert.equal(code, 1);
      assert.match(stderr, /ek-root:write/);
    }
  });
});

describe('A CRL', () => {
  test('RevokesAndIsReplacedByANewerOne', async () => {
    const [lost, kept] = [any_ek(), any_ek()];
    const certificate = maker.certify(lost);
    await enroll('lost-1', lost, certificate);
    await enroll('kept-1', kept, maker.certify(kept));
    assert.match(await done('ek-root', 'import', '--crl', maker.crl(), '--dry-run'), /added +CN=Test ca[^]*dry run/);
    assert.deepEqual(await json('ek-root', 'list-crls'), []);
    assert.match(await done('ek-root', 'import', '--crl', maker.crl()), /added +CN=Test ca.* +0 /);
    assert.equal((await verdict_of('lost-1')).verdict, 'trusted');
    assert.match(await done('ek-root', 'import', '--crl', maker.crl(certificate)), /updated +CN=Test ca.* +1 /);
    assert.equal((await verdict_of('lost-1')).code, 'endorsement.path.revoked');
    assert.equal((await verdict_of('kept-1')).verdict, 'trusted');
    assert.equal((await json('ek-root', 'list-crls')).length, 1);
  });
});

describe('Distrust', () => {
  test('ShowsWhomItAffectsChangesItAndIsTakenBack', async () => {
    const root = maker.fingerprint('root');
    const ek = any_ek();
    await done('enrollment-group', 'create', '--group-id', 'plant', '--tpm', '--naming', '*');
    const line = (key, certificate) => `${key.toString('base64')} ${readFileSync(certificate).toString('base64')}\n`;
    const list = await daemon.write('eks.txt', `# with its certificate, and without\n${line(ek, maker.certify(ek))}${any_ek().toString('base64')}\n`);
    assert.equal((await json('enrollment-group', 'add-eks', 'plant', list)).added, 2);
    const again = await daemon.write('again.txt', line(ek, maker.certify(ek)));
    assert.deepEqual(await json('enrollment-group', 'add-eks', 'plant', again), { group_id: 'plant', added: 0, updated: 1, unchanged: 0 });
    assert.match(await done('enrollment-group', 'add-eks', 'plant', again), /^0 EKs were added to plant; 1 were on its list before\n/);
    await refused(2, /ek_certificate.key/, 'enrollment-group', 'add-eks', 'plant', await daemon.write('wrong.txt', line(any_ek(), maker.certify(ek))));
    const args = ['ek-root', 'distrust', root, '--since', '2026-01-01T00:00:00Z', '--reason', 'its key leaked'];
    const who = ({ affected }) => affected.map(({ enrollments, group_id }) => enrollments[0] ?? group_id).sort();
    const rehearsed = await json(...args, '--dry-run');
    assert.deepEqual(who(rehearsed), ['kept-1', 'meter-1', 'plant'], 'lost-1 is revoked anyway');
    assert.equal(rehearsed.authority.distrust.reason, 'its key leaked');
    assert.equal((await verdict_of('meter-1')).verdict, 'trusted');
    assert.match(await done(...args, '--dry-run'), /would be distrusted since 2026-01-01T00:00:00.000000Z: its key leaked\n(.|\n)*meter-1 .*trusted/);

    assert.match(await done(...args), /is distrusted since(.|\n)*meter-1 .*refused/);
    assert.equal((await verdict_of('meter-1')).code, 'endorsement.path.distrusted');
    assert.match((await verdict_of('meter-1')).reason, /its key leaked/);
    assert.equal((await json('ek-root', 'show', root)).distrust.fingerprint_sha256, root);
    await done('ek-root', 'import', maker.file('root.pem'));
    assert.equal((await verdict_of('meter-1')).code, 'endorsement.path.distrusted', 'importing gives no trust back');
    await daemon.kill();
    await daemon.serve();
    assert.equal((await verdict_of('meter-1')).code, 'endorsement.path.distrusted', 'and it is remembered');
    assert.deepEqual((await json('ek-root', 'devices', root)).length, 3);

    await done('ek-root', 'trust', root.replace(/(..)(?=.)/g, '$1:'));
    assert.equal((await verdict_of('meter-1')).verdict, 'trusted');
    const actions = (await daemon.sqlite('SELECT action FROM audit_entries;')).split('\n');
    for (const action of ['ek-root.import', 'ek-root.distrust', 'ek-root.trust', 'ek-crl.import', 'ek-certificate.keep']) assert.ok(actions.includes(action), action);
    assert.equal(actions.filter((action) => action === 'ek-root.distrust').length, 1, 'a dry run leaves none');
  });

  test('WantsAReasonAndATime', async () => {
    const root = maker.fingerprint('root');
    await refused(2, /--reason/, 'ek-root', 'distrust', root);
    await refused(2, /time in UTC/, 'ek-root', 'distrust', root, '--reason', 'x', '--since', 'yesterday');
    await refused(2, /one line/, 'ek-root', 'distrust', root, '--reason', 'two\nlines');
    await refused(1, /no authority/, 'ek-root', 'distrust', '0'.repeat(64), '--reason', 'x');
    assert.equal((await verdict_of('meter-1')).verdict, 'trusted');
  });

  test('IsTriedOnFilesToo', async () => {
    const certificate = maker.certify(any_ek());
    const args = ['ek-certificate', 'verify', certificate, '--roots', maker.file('root.pem'), '--intermediates', maker.file('ca.pem')];
    await done(...args);
    const root = maker.fingerprint('root');
    await refused(1, /not trusted since/, ...args, '--distrust', root);
    await refused(1, /not trusted since/, ...args, '--distrust', `${maker.fingerprint('ca').toUpperCase()}=2020-01-01T00:00:00Z`);
    await done(...args, '--distrust', `${root}=2090-01-01T00:00:00Z`);
    await refused(2, /no authority with this fingerprint/, ...args, '--distrust', '0'.repeat(64));
    await refused(2, /time in UTC/, ...args, '--distrust', `${root}=soon`);
  });
});

describe('An EK certificate', () => {
  test('IsOfItsEkAndOfOneThatIsChallenged', async () => {
    const [ek, other] = [any_ek(), any_ek()];
    const file = await daemon.write('other.pub', other);
    const create = (certificate) => ['enrollment', 'create', '--registration-id', 'odd-1', '--tpm-ek', file, '--ek-certificate', certificate];
    await refused(2, /ek_certificate.key/, ...create(maker.certify(ek)));
    await refused(1, /keyEncipherment/, ...create(maker.certify(other, { kind: 'signing' })));
    await refused(2, /endorsement_certificate.*wire\.truncated/, ...create(await daemon.write('noise', Buffer.alloc(5000, 0x30))));
    await refused(1, /no enrollment/, 'enrollment', 'show', 'odd-1');
    await done(...create(maker.certify(other)));
    await done('enrollment', 'update', 'odd-1', '--disabled');
    assert.equal((await json('enrollment', 'show', 'odd-1')).ek_certificate.verdict.verdict, 'trusted', 'an update leaves it');
  });
});
