// `warifu` as an operator and their scripts use it, against a real server: who may do what, what is told, and what is never told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary } from '../interop/lib/server.mjs';
import { Daemon, must_run, names_in, places_of, run, without } from './lib/daemon.mjs';
import { enroll, in_parallel, operator_client } from './lib/fleet.mjs';
import { any_ek } from './lib/software_tpm.mjs';

const kNobody = '/nonexistent-profile';

let daemon;
const secrets = {};

before(async () => {
  daemon = await Daemon.init();
  await daemon.serve({ args: daemon.serve_args(['--log-level', 'debug']) });
});
after(() => daemon?.stop());

function refused(outcome, code, pattern) {
  assert.equal(outcome.code, code, `exit ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, pattern);
}

/** The operator's command with a profile that is not there, so that only what is given counts. */
const stranger = (args, environment = {}) => run('warifu', args, { environment: { HOME: kNobody, XDG_CONFIG_HOME: kNobody, ...environment } });

describe('A bootstrap token', () => {
  test('LogsInOnce', async () => {
    const args = ['login', '--token-file', await daemon.write('token', `${daemon.bootstrap_token}\n`), '--json'];
    const { code, stdout, stderr } = await daemon.operator(args);
    assert.equal(code, 0, stderr);
    const json = JSON.parse(stdout);
    assert.deepEqual(Object.keys(json).sort(), ['expires_at', 'id_scope', 'server']);
    assert.equal(json.id_scope, daemon.id_scope);
    Object.assign(secrets, { 'bootstrap token': daemon.bootstrap_token, 'access token': daemon.access_token() });
    assert.deepEqual(names_in(secrets, stdout + stderr), []);
    refused(await daemon.operator(args), 1, /was used at .*warifud bootstrap-token/);
    assert.equal((await daemon.operator(['id-scope', 'show'])).stdout.trim(), daemon.id_scope, 'the first login still counts');
  });

  test('IsMadeBesideARunningServerAndReadFromStandardInput', async () => {
    const token = await daemon.new_bootstrap_token();
    secrets['later bootstrap token'] = token;
    const { code, stderr } = await daemon.operator(['--profile', 'second', 'login', '--token-file', '-', '--name', 'second'], { input: `${token}\n` });
    assert.equal(code, 0, stderr);
    secrets['second access token'] = daemon.access_token('second');
    assert.notEqual(daemon.access_token('second'), daemon.access_token());
  });

  test('LogsInOneOfManyWhoComeAtOnce', async () => {
    const token = await daemon.new_bootstrap_token();
    const outcomes = await Promise.all(Array.from({ length: 6 }, (_, i) => daemon.operator(['--profile', `racer${i}`, 'login', '--token-file', '-'], { input: token })));
    assert.deepEqual(outcomes.map(({ code }) => code).sort(), [0, 1, 1, 1, 1, 1]);
  });

  for (const [what, text, code, pattern] of [
    ['unknown', `warifu_bootstrap_${'A'.repeat(43)}`, 1, /not one of this server's/],
    ['of another form', 'hello', 1, /not a bootstrap token/],
    ['an access token', null, 1, /not a bootstrap token/],
    ['empty', '', 2, /no token/],
  ]) {
    test(`IsRefusedWhenItIs ${what}`, async () => {
      const input = text ?? daemon.access_token();
      refused(await daemon.operator(['login', '--token-file', '-'], { input }), code, pattern);
    });
  }

  test('IsNoArgument', async () => {
    refused(await daemon.operator(['login', '--token', 'x']), 2, /token/);
    refused(await daemon.operator(['--token', 'x', 'id-scope', 'show']), 2, /token/);
    refused(await daemon.operator(['login', '--token-file', '/nowhere']), 3, /\/nowhere/);
  });
});

describe('A profile', () => {
  test('IsReadByItsOwnerOnly', () => {
    const folder = path.join(daemon.home, '.config/warifu');
    assert.equal(statSync(path.join(folder, 'default.json')).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  test('IsEnoughForTheNextCommand', async () => {
    const { code, stdout, stderr } = await run('warifu', ['id-scope', 'show'], { environment: daemon.operator_environment_() });
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), daemon.id_scope);
  });

  test('MayNotBeNamedLikeAPath', async () => {
    for (const profile of ['../default', '/etc/passwd', '']) refused(await daemon.operator(['--profile', profile, 'id-scope', 'show']), 2, /./);
  });

  test('IsNotNeededByScripts', async () => {
    const environment = { WARIFU_SERVER: daemon.operators_url, WARIFU_CA: daemon.ca, WARIFU_TOKEN: daemon.access_token() };
    const { code, stdout, stderr } = await stranger(['id-scope', 'show', '--json'], environment);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { id_scope: daemon.id_scope });
    refused(await stranger(['id-scope', 'show'], { ...environment, WARIFU_TOKEN: `warifu_access_${'A'.repeat(43)}` }), 1, /not one of this server's/);
    refused(await stranger(['id-scope', 'show'], { ...environment, WARIFU_TOKEN: undefined }), 1, /nobody is logged in/);
    refused(await stranger(['id-scope', 'show'], { ...environment, WARIFU_CA: undefined }), 2, /--ca/);
    refused(await stranger(['id-scope', 'show'], { ...environment, WARIFU_CA: '/nowhere' }), 3, /\/nowhere/);
    refused(await stranger(['id-scope', 'show'], { ...environment, WARIFU_SERVER: 'http://127.0.0.1:1' }), 2, /https:\/\//);
    assert.equal((await stranger(['--server', daemon.operators_url, 'id-scope', 'show'], { ...environment, WARIFU_SERVER: 'https://127.0.0.1:1' })).code, 0, 'a flag wins');
  });
});

describe('An access token', () => {
  test('IsRefusedWithWordsAfterItExpired', async () => {
    const token = await daemon.new_bootstrap_token();
    const login = await daemon.operator(['--profile', 'brief', 'login', '--token-file', '-', '--lifetime-seconds', '1'], { input: token });
    assert.equal(login.code, 0, login.stderr);
    await sleep(1100);
    refused(await daemon.operator(['--profile', 'brief', 'id-scope', 'show']), 1, /expired at .*log in again/);
  });

  test('MayNotLiveForEverNorForNoTime', async () => {
    for (const seconds of ['0', '99999999999', '18446744073709551615', '-1', 'x']) {
      const input = daemon.bootstrap_token;
      const { code, stderr } = await daemon.operator(['--profile', 'long', 'login', '--token-file', '-', '--lifetime-seconds', seconds], { input });
      assert.equal(code, 2, `${seconds}: exit ${code}: ${stderr}`);
    }
  });

  test('OpensOnlyWhatItWasMadeFor', async () => {
    const token = await daemon.new_bootstrap_token();
    const login = await daemon.operator(['--profile', 'reader', 'login', '--token-file', '-', '--permission', 'enrollment:read'], { input: token });
    assert.equal(login.code, 0, login.stderr);
    const as_reader = (...args) => daemon.operator(['--profile', 'reader', ...args]);
    assert.equal((await as_reader('enrollment', 'list')).code, 0);
    const ek = await daemon.write('ek', any_ek());
    for (const [permission, args] of [
      ['enrollment:write', ['enrollment', 'create', '--registration-id', 'reader-1', '--tpm-ek', ek]],
      ['enrollment:write', ['enrollment', 'delete', 'reader-1']],
      ['device:read', ['device', 'list']],
      ['hub-key:read', ['device', 'hub-key', 'reader-1']],
      ['service-key:write', ['service-key', 'create', '--name', 'reader']],
    ]) refused(await as_reader(...args), 1, new RegExp(`needs the permission ${permission}`));
  });

  test('MayNotAskForPermissionsThatThereAreNot', async () => {
    const token = await daemon.new_bootstrap_token();
    const login = (permission) => daemon.operator(['--profile', 'root', 'login', '--token-file', '-', '--permission', permission], { input: token });
    refused(await login('everything'), 2, /no permission; known are/);
    assert.equal((await login('device:read')).code, 0, 'a refused login does not use the token up');
  });
});

describe('A server', () => {
  test('ThatIsNotTheOneOfTheRootGetsNoToken', async () => {
    const cert = daemon.file('fake.pem');
    await must_run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${cert}.key`, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']);
    const requests = [];
    const fake = https.createServer({ key: readFileSync(`${cert}.key`), cert: readFileSync(cert) }, (request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.end('{"items":[]}');
    }).listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const server = `https://127.0.0.1:${fake.address().port}`;
    refused(await daemon.operator(['enrollment', 'list'], { server }), 1, /did not prove itself.*--ca/);
    refused(await daemon.operator(['login', '--token-file', '-'], { server, input: daemon.bootstrap_token }), 1, /did not prove itself/);
    assert.deepEqual(requests, [], 'nothing was sent');
    const { code, stderr } = await daemon.operator(['enrollment', 'list'], { server, ca: cert });
    assert.equal(code, 0, `the twin, with the right root: ${stderr}`);
    assert.equal(requests.length, 1);
    fake.close();
  });

  test('IsNotBelievedBecauseTheMachineKnowsItsAuthority', { skip: without('strace') }, async () => {
    const other = await Daemon.init();
    const trace = daemon.file('trace');
    const outcome = await run('strace', ['-f', '-o', trace, '-e', 'trace=%file', binary('warifu'), '--server', daemon.operators_url, '--ca', other.ca, 'id-scope', 'show'], { environment: daemon.operator_environment_() });
    refused(outcome, 1, /did not prove itself/);
    const opened = readFileSync(trace, 'utf8');
    assert.match(opened, /execve/, 'the trace is one');
    assert.doesNotMatch(opened, /\/etc\/ssl\/certs/, 'it looked among the authorities of the machine');
    await other.stop();
  });

  test('IsNotBelievedForAnotherRootNorForAnotherName', async () => {
    const other = await Daemon.init();
    refused(await daemon.operator(['id-scope', 'show'], { ca: other.ca }), 1, /did not prove itself/);
    await other.serve({ args: ['serve', '--data-dir', other.data_dir, '--listen-devices', '127.0.0.1:0', '--listen-operators', '127.0.0.9:0'] });
    refused(await other.operator(['login', '--token-file', '-'], { input: other.bootstrap_token }), 1, /did not prove itself/); // not in its certificate
    await other.stop();
  });

  test('ThatIsAwayIsNotReachable', async () => {
    refused(await daemon.operator(['id-scope', 'show'], { server: 'https://127.0.0.1:1' }), 3, /no answer from https:\/\/127\.0\.0\.1:1/);
    refused(await daemon.operator(['id-scope', 'show'], { server: 'https://no-such-host.invalid:9443' }), 3, /no answer/);
  });

  test('ThatSpeaksNoTlsIsNotReachable', async () => {
    const plain = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    refused(await daemon.operator(['id-scope', 'show'], { server: `https://127.0.0.1:${plain.address().port}` }), 3, /no answer/);
    plain.close();
  });
});

describe('An enrollment', () => {
  const ek = any_ek();
  const create = (id, file, ...more) => daemon.operator(['enrollment', 'create', '--registration-id', id, '--tpm-ek', file, ...more]);
  let file;
  before(async () => (file = await daemon.write('ek.pub', ek)));

  test('IsCreatedListedShownAndDeleted', async () => {
    const created = await create('meter-1', file, '--json');
    assert.equal(created.code, 0, created.stderr);
    assert.equal(created.stderr, '');
    const json = JSON.parse(created.stdout);
    assert.equal(json.registration_id, 'meter-1');
    assert.equal(json.attestation.tpm.endorsement_key, ek.toString('base64'));
    assert.equal(json.allow_software_keys, false);
    const shown = JSON.parse((await daemon.operator(['enrollment', 'show', 'meter-1', '--json'])).stdout);
    assert.equal(shown.ek_name, json.ek_name);
    assert.match((await daemon.operator(['enrollment', 'show', '--registration-id', 'meter-1'])).stdout, /^registration id +meter-1$/m);
    assert.match((await daemon.operator(['enrollment', 'list'])).stdout, /^REGISTRATION ID .*\nmeter-1 /);
    const deleted = await daemon.operator(['enrollment', 'delete', 'meter-1', '--json']);
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.deepEqual(JSON.parse(deleted.stdout), { deleted: 'meter-1' });
    refused(await daemon.operator(['enrollment', 'show', 'meter-1']), 1, /no enrollment "meter-1"/);
    refused(await daemon.operator(['enrollment', 'delete', 'meter-1']), 1, /meter-1|not enrolled/);
  });

  test('IsTheSameAsTpm2bTpmtBinaryOrBase64', async () => {
    const forms = { tpm2b: ek, tpmt: ek.subarray(2), 'tpm2b in base64': `${ek.toString('base64')}\n`, 'tpmt in base64': ek.subarray(2).toString('base64') };
    for (const [i, [what, bytes]] of Object.entries(forms).entries()) {
      const { code, stdout, stderr } = await create(`form-${i}`, await daemon.write('form', bytes), '--json');
      assert.equal(code, 0, `${what}: ${stderr}`);
      assert.equal(JSON.parse(stdout).attestation.tpm.endorsement_key, ek.toString('base64'), what);
    }
  });

  test('OfAnEkThatIsEnrolledAlreadyIsMadeWithAWarning', async () => {
    const own = await daemon.write('own.pub', any_ek());
    assert.equal((await create('twin-1', own)).stderr, '');
    const { code, stdout, stderr } = await create('twin-2', own, '--json');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /warning: this EK is enrolled under other IDs too: \["twin-1"\]/);
    assert.deepEqual(JSON.parse(stdout).same_ek_as, ['twin-1']);
  });

  test('UnderAnIdThatIsTakenIsRefused', async () => {
    assert.equal((await create('taken', file)).code, 0);
    refused(await create('taken', file), 1, /taken/);
    refused(await create('TAKEN', await daemon.write('other.pub', any_ek())), 1, /taken/i);
  });

  for (const [what, id, bytes, code, pattern] of [
    ['an id with a slash', 'a/b', ek, 2, /registration/i],
    ['an id of 129 characters', 'x'.repeat(129), ek, 2, /registration/i],
    ['an empty id', '', ek, 2, /./],
    ['an EK that is cut off', 'cut', ek.subarray(0, 200), 2, /endorsement_key/],
    ['an EK with a byte too many', 'long', Buffer.concat([ek, Buffer.alloc(1)]), 2, /endorsement_key/],
    ['no EK but text', 'text', 'not a key', 2, /expected an EK in base64 \(at .*bad\.pub:1/],
    ['an empty file', 'empty', '', 2, /no EK in it/],
    ['a file of megabytes', 'large', Buffer.alloc(2 << 20), 2, /at most 4096 bytes/],
  ]) {
    test(`Is refused with ${what}`, async () => refused(await create(id, await daemon.write('bad.pub', bytes)), code, pattern));
  }

  test('IsNotReachedThroughAnIdThatIsAPath', async () => {
    for (const id of ['../devices', 'a/../b', 'x?limit=1', 'x#y', 'x%2fy']) refused(await daemon.operator(['enrollment', 'show', id]), 2, /is no ID/);
  });

  test('IsListedWhereverItStandsAmong1100', async () => {
    const before_it = JSON.parse((await daemon.operator(['enrollment', 'list', '--json'])).stdout);
    const ids = Array.from({ length: 1100 }, (_, i) => `bulk-${String(i).padStart(4, '0')}`);
    const client = operator_client(daemon, 16);
    await in_parallel(16, ids, async (id) => assert.equal((await enroll(client, id, any_ek())).status, 201, id));
    client.close();
    const { code, stdout, stderr } = await daemon.operator(['enrollment', 'list', '--json']);
    assert.equal(code, 0, stderr);
    const listed = JSON.parse(stdout).map(({ registration_id }) => registration_id);
    assert.equal(new Set(listed).size, listed.length, 'each once');
    assert.deepEqual(listed.filter((id) => id.startsWith('bulk-')), ids, 'all, in order');
    assert.equal(listed.length, ids.length + before_it.length);
    assert.equal((await daemon.operator(['enrollment', 'list'])).stdout.trim().split('\n').length, listed.length + 1);
  });
});

describe('What was secret', () => {
  test('StandsInNoLogAndNotInTheDataDirectory', async () => {
    const key = await daemon.operator(['service-key', 'create', '--name', 'service', '--json']);
    assert.equal(key.code, 0, key.stderr);
    const { connection_string } = JSON.parse(key.stdout);
    assert.match(connection_string, /^HostName=[^;]+;SharedAccessKeyName=service;SharedAccessKey=[A-Za-z0-9+/]{43}=$/);
    secrets['service key'] = Buffer.from(connection_string.split('SharedAccessKey=')[1], 'base64');
    assert.ok(Object.keys(secrets).length >= 5);
    assert.match(daemon.log, /refused tracking_id=/, 'the log was written');
    assert.deepEqual(names_in(secrets, daemon.log), [], 'log');
    assert.deepEqual(await places_of(secrets, daemon.data_dir), []);
    const client = operator_client(daemon);
    const metrics = await client.send('GET', '/metrics');
    client.close();
    assert.equal(metrics.status, 200);
    assert.deepEqual(names_in(secrets, metrics.text), [], 'metrics');
    for (const file of ['cmdline', 'environ']) assert.deepEqual(names_in(secrets, readFileSync(`/proc/${daemon.pid}/${file}`)), [], file);
  });

  test('StandsInNoOutputOfACommandThatWasRefused', async () => {
    const { stdout, stderr } = await daemon.operator(['enrollment', 'show', 'nobody']);
    assert.deepEqual(names_in(secrets, stdout + stderr), []);
  });
});
