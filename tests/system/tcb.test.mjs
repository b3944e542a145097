// warifu-tcb by itself: what it links, what it prints, whom it answers, and how it ends. The test speaks the protocol's bytes.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { binary } from '../interop/lib/server.mjs';
import { Swtpm } from '../interop/lib/swtpm.mjs';

const kReady = /^warifu-tcb ready socket=(\S+) ek-name=(000b[0-9a-f]{64})\n$/;
const kRandom = 8;
const kIdentity = 3;

/** Starts the program and waits for its ready line or its end. */
function start(args) {
  const child = spawn(binary('warifu-tcb'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const program = { child, out: '', err: '' };
  child.stdout.on('data', (data) => { program.out += data; });
  child.stderr.on('data', (data) => { program.err += data; });
  program.ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  program.ready = new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(program));
    program.ended.then(() => reject(new Error(program.err)));
  });
  program.ready.catch(() => {}); // who only waits for the end does not look at it
  return program;
}

function request(operation, body) {
  const frame = Buffer.alloc(8 + body.length);
  frame.writeUInt16BE(0x5754, 0);
  frame.writeUInt8(1, 2);
  frame.writeUInt8(operation, 3);
  frame.writeUInt32BE(body.length, 4);
  body.copy(frame, 8);
  return frame;
}

function exchange(socket_path, frame) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socket_path, () => socket.write(frame));
    let answer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('data', (data) => {
      answer = Buffer.concat([answer, data]);
      if (answer.length >= 8 && answer.length === 8 + answer.readUInt32BE(4)) socket.end(() => resolve(answer));
    });
    socket.on('end', () => resolve(answer));
  });
}

function random(socket_path, size) {
  const body = Buffer.alloc(2);
  body.writeUInt16BE(size);
  return exchange(socket_path, request(kRandom, body));
}

describe('warifu-tcb', () => {
  let folder, tpm, config, state, socket_path;
  before(async () => {
    folder = await mkdtemp('/tmp/wtcb-');
    tpm = await Swtpm.start();
    config = path.join(folder, 'device.toml');
    state = path.join(folder, 'state');
    mkdirSync(path.join(folder, 'run'), { mode: 0o755 });
    socket_path = path.join(folder, 'run/tcb.sock');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30',
      '-subj', '/CN=root', '-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'root.pem')], { stdio: 'ignore' });
    await writeFile(config, `[server]\nurl = "https://localhost:8443"\nroot = "${folder}/root.pem"\n[device]\nid_scope = "0ne00000001"\n` +
      `[tcb]\nagent_user = "${process.getuid()}"\n`, { mode: 0o644 });
  });
  after(async () => {
    await tpm?.stop();
    await rm(folder, { recursive: true });
  });
  /** The usual options, changed by `changes`; more words behind them. */
  const args = (changes = {}, ...more) => [...Object.entries({
    '--config': config, '--tcti': `swtpm:path=${tpm.socket_path}`, '--state': state, '--socket': socket_path, ...changes }).flat(), ...more];
  async function stopped(program) {
    program.child.kill('SIGTERM');
    return program.ended;
  }

  test('LinksNeitherTlsNorHttp', () => {
    const libraries = execFileSync('ldd', [binary('warifu-tcb')], { encoding: 'utf8' });
    assert.match(libraries, /libcrypto\.so\.3/);
    assert.doesNotMatch(libraries, /libssl|libcurl|libboost_(?!json)/);
  });

  test('SaysWhenItIsReadyAnswersAndEndsInOrder', async () => {
    const program = await start(args()).ready;
    const [, printed, name] = kReady.exec(program.out);
    assert.equal(printed, socket_path);
    assert.equal(await readFile(path.join(state, 'ek-name'), 'utf8'), name);
    assert.equal(statSync(state).mode & 0o777, 0o700);

    const answer = await random(socket_path, 32);
    assert.equal(answer.readUInt16BE(0), 0x5741);
    assert.equal(answer.length, 8 + 1 + 2 + 32);
    assert.notDeepEqual((await random(socket_path, 32)).subarray(11), answer.subarray(11));
    assert.match((await exchange(socket_path, request(kIdentity, Buffer.alloc(0)))).toString('latin1'), /tcb\.server\.unverified/);
    assert.deepEqual(await stopped(program), { code: 0, signal: null });
    assert.doesNotMatch(program.err, /not shut down in order/);
  });

  test('IsConfined', async () => {
    const program = await start(args()).ready;
    const status = await readFile(`/proc/${program.child.pid}/status`, 'utf8');
    assert.match(status, /^Seccomp:\t2$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^CapEff:\t0+$/m);
    assert.match(status, /^Threads:\t1$/m);
    await stopped(program);
    const loose = await start(args({}, '--unconfined')).ready;
    assert.match(await readFile(`/proc/${loose.child.pid}/status`, 'utf8'), /^Seccomp:\t0$/m);
    assert.match(loose.err, /NOT CONFINED/);
    await stopped(loose);
  });

  test('RefusesAnotherEk', async () => {
    const another = `000b${'00'.repeat(32)}`;
    const kept = start(args({ '--ek-name': another }));
    assert.equal((await kept.ended).code, 1);
    assert.match(kept.err, /tpm\.ek\.swapped/);
    const fresh = start(args({ '--ek-name': another, '--state': path.join(folder, 'state2') }));
    assert.notEqual((await fresh.ended).code, 0);
    assert.equal(fresh.out, '');
    assert.ok(!existsSync(path.join(folder, 'state2/ek-name')), 'another EK is not remembered');
  });

  test('LetsNoSecondOneUseItsStateOrItsSocket', async () => {
    const program = await start(args()).ready;
    const second = start(args({ '--socket': path.join(folder, 'run/other.sock') }));
    assert.equal((await second.ended).code, 1);
    assert.match(second.err, /state\.in_use/);
    assert.equal((await random(socket_path, 8)).length, 19, 'the first still answers');
    await stopped(program);
  });

  // The service manager starts it again; by itself it may not open the TPM anew.
  test('EndsWhenItsTpmIsGoneForGood', async () => {
    const passing = await Swtpm.start();
    const own = { '--tcti': `swtpm:path=${passing.socket_path}`, '--state': path.join(folder, 'state3'), '--socket': path.join(folder, 'run/gone.sock') };
    const program = await start(args(own)).ready;
    assert.equal((await random(own['--socket'], 8)).length, 19);
    await passing.kill();
    assert.equal(program.child.exitCode, null, 'it does not watch the TPM: the next request finds out');
    assert.match((await random(own['--socket'], 8)).toString('latin1'), /tpm\.unreachable/);
    assert.deepEqual(await program.ended, { code: 3, signal: null });
    assert.match(program.err, /\[tpm\.unreachable\]/);
    await passing.stop();
  });

  test('SaysWhatIsMissing', async () => {
    const cases = [
      [args({ '--config': path.join(folder, 'none.toml') }), 3, /none\.toml/],
      [args({ '--tcti': 'swtpm:path=/nowhere/tpm' }), 3, /\[tpm\.absent\]/],
      [args({ '--ek-name': 'xyz' }), 2, /\[config\.ek_name\]/],
      [args({}, '--no-such-option'), 2, /no-such-option/],
      [args({ '--user': 'no-such-user-here' }), 1, /\[user\.unknown\]/],
    ];
    for (const [given, code, text] of cases) {
      const program = start(given);
      const ended = await program.ended;
      assert.match(program.err + program.out, text);
      assert.equal(ended.code, code, program.err);
      assert.equal(program.out.includes('ready'), false);
    }
  });
});
