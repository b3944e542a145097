// Who asks too much is made to wait, then refused, and keeps nobody else from an answer; what is repeated under one Idempotency-Key happens
// once, also when the connection breaks at the worst moment.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, run } from './lib/daemon.mjs';
import { enroll, operator_client } from './lib/fleet.mjs';
import { any_ek } from './lib/software_tpm.mjs';

const kLimits = '[limits]\nregistration_rate = 4\nregistration_burst = 16\nwait_max_ms = 2500\nunauthenticated_rate = 50\nunauthenticated_burst = 5\n';

let daemon;
let client;

before(async () => {
  daemon = await Daemon.init();
  const config = await daemon.write('limits.toml', kLimits);
  await daemon.serve({ args: daemon.serve_args(['--config', config]) });
  await daemon.login();
  client = operator_client(daemon, 8);
});
after(async () => {
  client?.close();
  await daemon?.stop();
});

/** One request to the devices listener from an address of this machine: {status, headers, text, took} in milliseconds. */
function ask(id, { from = '127.0.0.1', authorization } = {}) {
  const url = new URL(daemon.devices_url);
  const began = performance.now();
  const headers = { 'Content-Type': 'application/json', ...(authorization ? { Authorization: authorization } : {}) };
  const options = {
    method: 'PUT', host: url.hostname, port: url.port, path: `/${daemon.id_scope}/registrations/${id}/register?api-version=2019-03-31`,
    headers, ca: readFileSync(daemon.ca), servername: 'localhost', localAddress: from, agent: false,
  };
  return new Promise((resolve, reject) => {
    https.request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, took: performance.now() - began }));
    }).on('error', reject).end('{}');
  });
}

describe('A device that asks too much', () => {
  test('WaitsAndIsThenToldWhenToComeAgain', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask('flooded')));
    const refused = answers.filter(({ status }) => status === 429);
    const waited = answers.filter(({ status, took }) => status !== 429 && took > 1_500);
    // A request without Authorization costs 8: two at once, one in two seconds, and no room for another in 2.5 s.
    assert.equal(waited.length, 1, JSON.stringify(answers.map(({ status, took }) => [status, took])));
    assert.equal(refused.length, 9);
    for (const { headers, text } of refused) {
      assert.match(headers['retry-after'], /^[34]$/);
      assert.equal(JSON.parse(text).errorCode, 429001);
      assert.equal(JSON.parse(text).info.code, 'limit.registration');
    }
  });

  test('LeavesTheSameIdOfAnotherAddressAlone', async () => {
    await Promise.all(Array.from({ length: 12 }, () => ask('attacked')));
    const { status, took } = await ask('attacked', { from: '127.0.0.2' });
    assert.notEqual(status, 429);
    assert.ok(took < 1_000, `${took} ms`);
  });

  test('LeavesOthersOfItsAddressAlone', async () => {
    const flood = Promise.all(Array.from({ length: 12 }, () => ask('flooded-too')));
    const { status, took } = await ask('beside-it');
    assert.notEqual(status, 429);
    assert.ok(took < 1_000, `${took} ms`);
    await flood;
  });

  test('IsInTheMetrics', async () => {
    const { text } = await client.send('GET', '/metrics');
    assert.match(text, /^warifu_requests_delayed_total [1-9]/m);
    assert.match(text, /^warifu_requests_throttled_total\{by="registration"\} [1-9]/m);
    assert.match(text, /^warifu_requests_waiting 0$/m);
  });
});

describe('An operator', () => {
  test('IsServedWhileSomebodyWithoutATokenIsSlowedDown', async () => {
    const stranger = operator_client(daemon, 8);
    try {
      const began = performance.now();
      const guesses = Promise.all(Array.from({ length: 40 }, () => stranger.send('GET', '/api/v1/devices', { token: 'x' })));
      for (let i = 0; i < 20; ++i) assert.equal((await client.send('GET', '/api/v1/devices')).status, 200);
      for (const { status } of await guesses) assert.ok(status === 401 || status === 429, String(status));
      assert.ok(performance.now() - began > 500, '40 guesses need at least 35 / 50 s');
    } finally {
      stranger.close();
    }
  });
});

describe('The settings of limits', () => {
  for (const seconds of [9, 86_401]) {
    test(`Refuse: an attestation interval of ${seconds} seconds`, async () => {
      const config = await daemon.write('bad.toml', `[attestation]\ninterval_seconds = ${seconds}\n`);
      const { code, stderr } = await run('warifud', ['config', 'check', '--data-dir', daemon.data_dir, '--config', config]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, new RegExp(`attestation\\.interval_seconds is from 10 to 86400, not ${seconds} \\[config\\.attestation\\]`));
    });
  }

  for (const [text, pattern] of [
    ['address_rate = 0', /limits\.address_rate is from 1 to/], ['address_rate = "1"', /is a whole number/], ['address_burst = 1.5', /is a whole number/],
    ['registration_burst = 7', /at least 8/], ['wait_max_ms = 20001', /from 1 to 20000/], ['waiting_max = -1', /from 1 to 1024/],
    ['connections_per_address = -1', /limits\.connections_per_address is from 1 to 10000/], ['connections_per_address = 10001', /from 1 to 10000/], ['per_hour = 1', /there is no setting/],
  ]) {
    test(`Refuse: ${text}`, async () => {
      const config = await daemon.write('bad.toml', `[limits]\n${text}\n`);
      const { code, stderr } = await run('warifud', ['config', 'check', '--data-dir', daemon.data_dir, '--config', config]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, pattern);
    });
  }

  test('WarnOfAnAddressThatMayHaveAllConnections', async () => {
    const check = async (value) => run('warifud', ['config', 'check', '--data-dir', daemon.data_dir, '--config',
      await daemon.write('connections.toml', `[limits]\nconnections_per_address = ${value}\n`)]);
    for (const value of [0, 10000]) {
      const { code, stdout, stderr } = await check(value);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^warning: limits\.connections_per_address lets one address take all 10000 connections/);
      assert.match(stdout, /is good/);
    }
    const { code, stderr } = await check(9999);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
  });
});

/** A way to the operators' listener that breaks off its first connection once `is_done` says that the server has acted; later ones pass. */
async function breaking_proxy(is_done) {
  const upstream = new URL(daemon.operators_url);
  let connections = 0;
  const proxy = net.createServer((socket) => {
    const first = ++connections === 1;
    let flights = 0;
    const server = net.connect(upstream.port, upstream.hostname);
    for (const end of [socket, server]) end.on('error', () => {});
    socket.on('data', (bytes) => {
      ++flights;
      server.write(bytes);
    });
    // After the ClientHello the client has its keys; what the server says from then on, the answer above all, is lost.
    server.on('data', (bytes) => (first && flights > 1 ? undefined : socket.write(bytes)));
    socket.on('close', () => server.destroy());
    server.on('close', () => socket.destroy());
    if (first) is_done().then(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  return { url: `https://127.0.0.1:${proxy.address().port}`, connections: () => connections, close: () => proxy.close() };
}

async function until(what) {
  for (let i = 0; i < 200; ++i) {
    if (await what()) return;
    await sleep(25);
  }
}

describe('What is asked for twice', () => {
  test('HappensOnceThoughTheConnectionBrokeBeforeTheAnswer', async () => {
    const file = await daemon.write('ek.b64', any_ek().toString('base64'));
    const proxy = await breaking_proxy(() => until(async () => (await client.send('GET', '/api/v1/enrollments/broken-off')).status === 200));
    try {
      const { code, stdout, stderr } = await daemon.operator(['enrollment', 'create', '--registration-id', 'broken-off', '--tpm-ek', file, '--json'], { server: proxy.url });
      assert.equal(code, 0, stderr);
      assert.equal(JSON.parse(stdout).registration_id, 'broken-off');
      assert.equal(proxy.connections(), 2);
    } finally {
      proxy.close();
    }
  });

  test('IsAnsweredAgainAfterARestart', async () => {
    const send = () => client.send('POST', '/api/v1/service-keys', { body: { name: 'repeated' }, headers: { 'Idempotency-Key': 'k1' } });
    const first = await send();
    assert.equal(first.status, 201, first.text);
    assert.equal(first.headers['idempotency-replayed'], undefined);
    await daemon.halt();
    await daemon.serve();
    client.close();
    client = operator_client(daemon, 8);
    const again = await send();
    assert.equal(again.status, 201, again.text);
    assert.equal(again.headers['idempotency-replayed'], 'true');
    assert.equal(again.text, first.text);
  });

  test('HappensOnceWhenItComesManyTimesAtOnce', async () => {
    const send = () => client.send('POST', '/api/v1/service-keys', { body: { name: 'raced' }, headers: { 'Idempotency-Key': 'k2' } });
    const answers = await Promise.all(Array.from({ length: 24 }, send));
    const made = answers.filter(({ status }) => status === 201);
    assert.equal(made.filter(({ headers }) => headers['idempotency-replayed'] === undefined).length, 1);
    assert.equal(new Set(made.map(({ text }) => text)).size, 1);
    for (const { status, json } of answers) if (status !== 201) assert.deepEqual([status, json.code], [409, 'idempotency.in_progress']);
    const other = await enroll(client, 'of-its-own', any_ek());
    assert.equal(other.status, 201, other.text);
  });
});
