// Sockets that mean no good, against the real server with its real limits: an honest client must not notice them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, eventually } from './lib/daemon.mjs';
import { operator_client } from './lib/fleet.mjs';
import { get, secure, tcp } from './lib/sockets.mjs';

const kSilent = 500;
const kSilentAfterTls = 100;
const kHonestRequests = 200;
const kRssGrowthMaxKib = 128 * 1024; // 600 connections at 88 KiB are 52 MiB; the rest is the allocator's
const kSlowRequestMs = 5_000;

let daemon;
before(async () => (daemon = await Daemon.start()));
after(() => daemon?.stop());

/** Requests of a client that behaves; returns the slowest one's milliseconds. */
async function honest_requests(count, server = daemon) {
  const client = operator_client(server);
  let slowest = 0;
  try {
    for (let i = 0; i < count; i++) {
      const begin = Date.now();
      const { status, text } = await client.send('GET', '/api/v1/id-scope');
      assert.equal(status, 200, text);
      slowest = Math.max(slowest, Date.now() - begin);
    }
  } finally {
    client.close();
  }
  return slowest;
}

describe('Silent and slow clients', () => {
  const wires = [];
  let idle;
  before(async () => {
    await honest_requests(20);
    idle = { threads: daemon.status_line('Threads'), rss: daemon.status_line('VmRSS') };
  });
  after(() => wires.forEach((wire) => wire.destroy()));

  test('KeepNobodyElseFromAnAnswer', async () => {
    for (let i = 0; i < kSilent; i++) wires.push(await tcp(i % 2 ? daemon.operators_url : daemon.devices_url));
    for (let i = 0; i < kSilentAfterTls; i++) wires.push(await secure(daemon, i % 2 ? daemon.operators_url : daemon.devices_url));
    const header = await secure(daemon, daemon.operators_url);
    header.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
    const body = await secure(daemon, daemon.operators_url);
    body.send('POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n');
    wires.push(header, body);
    const drip = setInterval(() => [header.send('X-A: b\r\n'), body.send(' ')], 200);
    const slowest = await honest_requests(kHonestRequests);
    clearInterval(drip);
    const loaded = { threads: daemon.status_line('Threads'), rss: daemon.status_line('VmRSS') };
    console.log(`beside ${wires.length} hostile connections: slowest honest request ${slowest} ms, threads ${idle.threads} -> ${loaded.threads}, RSS ${idle.rss} -> ${loaded.rss} KiB`);
    assert.ok(slowest < kSlowRequestMs, `${slowest} ms`);
    assert.equal(loaded.threads, idle.threads, 'no thread for a connection');
    assert.ok(loaded.rss - idle.rss < kRssGrowthMaxKib, `RSS grew by ${loaded.rss - idle.rss} KiB`);
  });

  test('AreSentAwayWhenTheirTimeIsOver', async () => {
    const drip = setInterval(() => wires.at(-2).send('X-A: b\r\n'), 500); // a byte now and then buys no time
    await eventually(() => wires.slice(0, kSilent).every(({ closed }) => closed), 'who never began TLS is gone', 15_000);
    await eventually(() => wires.at(-2).closed, 'the slow header is gone', 15_000);
    clearInterval(drip);
    assert.ok(wires.slice(kSilent, kSilent + kSilentAfterTls).every(({ closed }) => !closed), 'between requests a client may be silent for longer');
    await honest_requests(5);
  });
});

describe('A server that was started with a soft limit of 256 open files', () => {
  let limited;
  const wires = [];
  before(async () => {
    limited = await Daemon.init();
    await limited.serve({ wrapper: ['prlimit', '--nofile=256:4096'] });
    await limited.login();
  });
  after(async () => {
    wires.forEach((wire) => wire.destroy());
    await limited?.stop();
  });

  test('StillTakesHonestClientsBesideThatManySilentOnes', async () => {
    for (let i = 0; i < 300; i++) wires.push(await tcp(limited.operators_url));
    assert.ok(await honest_requests(5, limited) < kSlowRequestMs);
  });
});

describe('Bytes that are no request', () => {
  after(async () => void await honest_requests(3));

  for (const [what, bytes] of [
    ['HTTP without TLS', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'], ['zeros', Buffer.alloc(4096)], ['a record that claims 65,535 bytes', Buffer.from('160301ffff01', 'hex')],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'], ['an SSLv2 hello', Buffer.from('802e0100020015000000100100800200800300800400800500800600800700c0', 'hex')],
  ]) {
    test(`Before TLS end the connection: ${what}`, async () => {
      for (const url of [daemon.devices_url, daemon.operators_url]) {
        const wire = (await tcp(url)).send(bytes);
        wire.socket.end();
        await wire.ended;
        assert.doesNotMatch(wire.received, /HTTP/);
      }
    });
  }

  for (const [what, request] of [
    ['random bytes', '\x00\xff\xfe\x01\r\n\r\n'],
    ['no method', ' / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['another protocol', 'GET / GOPHER/1.1\r\nHost: localhost\r\n\r\n'],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: localhost\r\n\r\n'],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n'],
    ['two different Content-Lengths', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}'],
    ['two Content-Lengths in one', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2, 40\r\n\r\n{}'],
    ['a negative Content-Length', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}'],
    ['a Content-Length with a sign', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}'],
    ['a Content-Length beyond 64 bits', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551618\r\n\r\n{}'],
    ['Transfer-Encoding before Content-Length', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'],
    ['Content-Length before Transfer-Encoding', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown Transfer-Encoding', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked twice', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n'],
    ['a chunk size that is no number', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n'],
    ['a space before the colon', 'POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length : 2\r\n\r\n{}'],
    ['lines that end in LF alone', 'GET /healthz HTTP/1.1\nHost: localhost\n\n'],
    ['a CR inside a field', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\rX-C: d\r\n\r\n'],
    ['a NUL in a field', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: b\0c\r\n\r\n'],
    ['a NUL in the target', 'GET /heal\0thz HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ]) {
    test(`Inside TLS are 400 and the end: ${what}`, async () => {
      const wire = await secure(daemon, daemon.operators_url);
      // A second request behind it: if the server read the first one otherwise than it stands, this one would be answered.
      wire.socket.write(request, 'latin1');
      wire.send(get('/readyz'));
      const answer = await wire.answer();
      assert.equal(answer.status, 400, answer.text);
      assert.equal(answer.headers.connection, 'close');
      await wire.ended;
      assert.equal(wire.received, '', 'nothing more is answered');
      wire.destroy();
    });
  }

  test('AndTheSameContentLengthTwiceIsReadAsOne', async () => {
    const wire = await secure(daemon, daemon.operators_url);
    wire.send('POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}').send(get());
    assert.equal((await wire.answer()).status, 400, 'no token in it');
    const next = await wire.answer().catch(() => null); // or the connection ended with the refusal
    assert.ok(next === null || next.status === 200, next?.text);
    wire.destroy();
  });
});

describe('TLS', () => {
  for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2']) {
    test(`Is not spoken below 1.3: ${version}`, async () => {
      for (const url of [daemon.devices_url, daemon.operators_url])
        await assert.rejects(secure(daemon, url, { minVersion: 'TLSv1', maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' }), /protocol.version|alert|ECONNRESET|EPROTO/i);
    });
  }

  test('IsSpokenIn1.3', async () => {
    const wire = await secure(daemon, daemon.devices_url);
    assert.equal(wire.socket.getProtocol(), 'TLSv1.3');
    wire.destroy();
  });
});

describe('What is too large', () => {
  // A route of each listener that strangers may use.
  const post = (more) => (path) => `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${more}`;
  const attestation_key = '/api/v1/device/0ne/registrations/x/attestation/key';
  for (const [what, status, request] of [
    ['a header field', 431, `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`],
    ['a target', 431, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`],
    ['the number of fields', 431, `GET /healthz HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 200 }, (_, i) => `X-${i}: a\r\n`).join('')}\r\n`],
    ['a header without an end', 431, `GET /healthz HTTP/1.1\r\n${'X-A: b\r\n'.repeat(25_000)}`],
    ['an announced body', 413, post(`Content-Length: ${1 << 30}\r\n\r\n`)],
    ['a body in chunks', 413, post(`Transfer-Encoding: chunked\r\n\r\n${`8000\r\n${' '.repeat(0x8000)}\r\n`.repeat(40)}`)],
    ['an announced chunk', 413, post('Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n')],
  ]) {
    test(`Is ${status} and the end: ${what}`, async () => {
      for (const url of [daemon.operators_url, daemon.devices_url]) {
        const path = url === daemon.operators_url ? '/api/v1/login' : attestation_key;
        const wire = (await secure(daemon, url)).send(typeof request === 'function' ? request(path) : request);
        const answer = await wire.answer();
        assert.equal(answer.status, status, answer.text);
        assert.equal(answer.headers.connection, 'close');
        await wire.ended;
        wire.destroy();
      }
    });
  }

  test('DoesNotFillTheMemoryWithBodies', async () => {
    const before_it = daemon.status_line('VmRSS');
    const announced = await Promise.all(Array.from({ length: 50 }, () => secure(daemon, daemon.operators_url)));
    for (const wire of announced) wire.send(post('Content-Length: 131072\r\n\r\n')('/api/v1/login'));
    await sleep(300);
    const grown = daemon.status_line('VmRSS') - before_it;
    announced.forEach((wire) => wire.destroy());
    assert.ok(grown < 32 * 1024, `50 announced bodies took ${grown} KiB`);
    await honest_requests(3);
  });

  test('DoesNotFillTheMemoryWithFields', async () => {
    const before_it = daemon.status_line('VmRSS');
    const wire = (await secure(daemon, daemon.devices_url)).send(`GET /healthz HTTP/1.1\r\n${'X-A: b\r\n'.repeat(4 << 20)}`);
    await sleep(1500);
    const grown = daemon.status_line('VmRSS') - before_it;
    wire.destroy();
    assert.ok(grown < 16 * 1024, `a header of 32 MiB took ${grown} KiB`);
  });
});
