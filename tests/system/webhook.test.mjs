// What happens is told at once, signed, again and again until somebody takes it: a real server, and receivers of node's own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Daemon, eventually } from './lib/daemon.mjs';
import { without_users } from './lib/device.mjs';
import { Machine } from './lib/machine.mjs';
import { make_first_node, make_second_node } from './lib/nodes.mjs';
import { operator_of } from './lib/operator.mjs';
import { Postgres, without_postgres } from './lib/postgres.mjs';

/** Whether one of the signatures of a request is by `secret`, as Standard Webhooks 1.0 says. */
function is_signed_by(secret, { headers, body }) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest();
  return headers['webhook-signature'].split(' ').some((signature) => {
    const [version, mac] = signature.split(',');
    const bytes = Buffer.from(mac, 'base64');
    return version === 'v1' && bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

/** Remembers what came, and answers what `answer(request)` says: a status, or undefined for never. */
class Receiver {
  answer = () => 204;
  came = [];
  // Below those that the system gives out (32768): while a receiver is away, nobody else gets its port. The network is our own.
  static next_port = 7100;

  async start({ port = this.port_ ?? Receiver.next_port++, tls } = {}) {
    const listen = (request, response) => {
      let body = '';
      request.on('data', (part) => (body += part));
      request.on('end', () => {
        const event = { headers: request.headers, body, at: Date.now(), target: request.url };
        this.came.push(event);
        const status = this.answer(event);
        if (status !== undefined) response.writeHead(status, { Location: '/elsewhere' }).end('thanks');
      });
    };
    this.scheme_ = tls ? 'https' : 'http';
    this.server_ = tls ? https.createServer(tls, listen) : http.createServer(listen);
    this.server_.listen(port, '127.0.0.1');
    await once(this.server_, 'listening');
    this.port_ = this.server_.address().port;
    return this;
  }

  get url() {
    return `${this.scheme_}://127.0.0.1:${this.port_}/hook`;
  }

  ids() {
    return this.came.map(({ headers }) => headers['webhook-id']);
  }

  async stop() {
    if (!this.server_?.listening) return;
    this.server_.closeAllConnections();
    this.server_.close();
    await once(this.server_, 'close');
  }
}

/** Events for the webhook "pager" that say nothing, without waiting for what becomes of them; their IDs. */
async function queue_at(server, count, token = server.access_token()) {
  const ids = [];
  const ca = await readFile(server.ca);
  for (let i = 0; i < count; ++i) {
    ids.push(await new Promise((resolve, reject) => {
      const options = { method: 'POST', ca, servername: 'localhost', headers: { Authorization: `Bearer ${token}` } };
      const request = https.request(`${server.operators_url}/api/v1/webhooks/pager/test`, options, (response) => {
        let text = '';
        response.on('data', (part) => (text += part));
        response.on('end', () => (response.statusCode === 202 ? resolve(JSON.parse(text).event_id) : reject(new Error(`${response.statusCode} ${text}`))));
      });
      request.on('error', reject).end();
    }));
  }
  return ids;
}

// The lease of a server that was killed has to end (30 s), and then its events have to come.
const kLease = 60_000;

describe('A webhook', () => {
  let server;
  let receiver;
  let secret;
  const { done, json, refused } = operator_of(() => server);

  before(async () => {
    server = await Daemon.start();
  });
  after(() => server?.stop());

  // One receiver and one webhook for each test.
  async function with_webhook(work, { options = [], tls } = {}) {
    receiver = await new Receiver().start({ tls });
    secret = (await done('webhook', 'add', 'pager', receiver.url, ...options)).trim();
    await work();
  }
  afterEach(async () => {
    await server.operator(['webhook', 'remove', 'pager']);
    await receiver?.stop();
  });

  const queue = (count) => queue_at(server, count);
  const all_of = (ids, ms = 30_000) => eventually(() => ids.every((id) => receiver.ids().includes(id)), 'every event came', ms, () => server.log);
  // The first time that each came.
  const in_order = (ids) => assert.deepEqual([...new Set(receiver.ids())].filter((id) => ids.includes(id)), ids);
  const settled = () => eventually(async () => (await json('webhook', 'show', 'pager')).waiting === 0, 'nothing waits', 30_000);

  test('IsTriedOutAndVerifiedByTheReceiver', async () => {
    await with_webhook(async () => {
      assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
      assert.match(await done('webhook', 'test', 'pager'), /took it/);
      const [event] = receiver.came;
      assert.ok(is_signed_by(secret, event));
      assert.ok(!is_signed_by(secret, { ...event, body: event.body.replace('pager', 'paget') }), 'another body is found out');
      assert.ok(!is_signed_by(`whsec_${Buffer.alloc(32).toString('base64')}`, event));
      assert.equal(event.headers['content-type'], 'application/cloudevents+json; charset=utf-8');
      assert.ok(Math.abs(Number(event.headers['webhook-timestamp']) - Date.now() / 1000) < 60);
      const body = JSON.parse(event.body);
      assert.equal(body.specversion, '1.0');
      assert.equal(body.id, event.headers['webhook-id']);
      assert.equal(body.type, 'io.warifu.webhook.test');
      assert.equal(body.source, `/id-scopes/${server.id_scope}`);
      const shown = await json('webhook', 'show', 'pager');
      assert.equal(shown.state, 'working');
      assert.equal(shown.delivered, 1);
      assert.ok(!JSON.stringify(shown).includes('whsec_'));
      assert.match(await done('webhook', 'list'), /pager +working +0 +0/);
    });
  });

  test('IsRefusedWhereNoReceiverIs', async () => {
    await refused(2, /webhook\.url/, 'webhook', 'add', 'pager', 'http://events.example.com/hook');
    await refused(1, /webhook\.address/, 'webhook', 'add', 'pager', 'http://192.0.2.1/hook');
    await refused(1, /webhook\.address/, 'webhook', 'add', 'pager', 'https://169.254.169.254/latest/meta-data/');
    await refused(2, /webhook\.event_type/, 'webhook', 'add', 'pager', 'https://events.example.com/', '--event', 'io.warifu.nothing');
    await refused(1, /webhook\.unknown/, 'webhook', 'show', 'pager');
  });

  test('IsTriedAgainAfterAnotherStatusUnderTheSameId', async () => {
    await with_webhook(async () => {
      const answers = [500, 302, 404];
      receiver.answer = () => answers.shift() ?? 200;
      await refused(1, /did not take it.*500/, 'webhook', 'test', 'pager');
      await eventually(() => receiver.came.length === 4, 'it came four times', 30_000);
      assert.equal(new Set(receiver.ids()).size, 1);
      assert.ok(receiver.came.every((event) => is_signed_by(secret, event)));
      assert.ok(receiver.came.every(({ target }) => target === '/hook'), 'no redirect is followed');
      await settled();
      const shown = await json('webhook', 'show', 'pager');
      assert.equal(shown.state, 'working');
      assert.match(shown.last_failure, /404/);
    });
  });

  test('ThatIsRemovedWhileItIsTriedOutTookNothing', async () => {
    await with_webhook(async () => {
      receiver.answer = () => undefined;
      const tried = refused(1, /webhook\.unknown/, 'webhook', 'test', 'pager');
      await eventually(() => receiver.came.length === 1, 'it is under way');
      await done('webhook', 'remove', 'pager');
      await tried;
    });
  });

  test('WhoseReceiverIsAwayLosesNothing', async () => {
    await with_webhook(async () => {
      await receiver.stop();
      const ids = await queue(20);
      await eventually(async () => (await json('webhook', 'show', 'pager')).state === 'retrying', 'it is tried again');
      const shown = await json('webhook', 'show', 'pager');
      assert.equal(shown.waiting, 20);
      assert.match(shown.last_failure, /takes no connection/);
      await receiver.start();
      await all_of(ids);
      in_order(ids);
      await settled();
      assert.equal(receiver.came.length, 20, 'each came once');
    });
  });

  test('LosesNothingWhenTheServerIsKilled', async () => {
    await with_webhook(async () => {
      await receiver.stop();
      const ids = await queue(10);
      await server.kill();
      await server.serve();
      ids.push(...await queue(10));
      await receiver.start();
      await all_of(ids, kLease);
      in_order(ids);
    });
  });

  test('GetsAnEventAgainThatWasUnderWayWhenTheServerWasKilled', async () => {
    await with_webhook(async () => {
      receiver.answer = () => undefined;
      const ids = await queue(3);
      await eventually(() => receiver.came.length > 0, 'the first is under way');
      await server.kill();
      receiver.answer = () => 204;
      await server.serve();
      await all_of(ids, kLease);
      in_order(ids);
      assert.equal(receiver.ids().filter((id) => id === ids[0]).length, 2, 'at least once');
    });
  });

  test('IsNotSentToByACopyThatIsToldSo', async () => {
    await with_webhook(async () => {
      await server.kill();
      await server.serve({ args: server.serve_args(['--no-webhooks']) });
      const ids = await queue(2);
      await sleep(3000); // a sender looks each second
      assert.deepEqual(receiver.came, []);
      assert.equal((await json('webhook', 'show', 'pager')).waiting, 2);
      assert.match(server.log, /no events are sent/);
      await server.kill();
      await server.serve();
      await all_of(ids);
    });
  });

  test('IsSignedByBothSecretsAfterARotation', async () => {
    await with_webhook(async () => {
      const fresh = (await done('webhook', 'rotate-secret', 'pager')).trim();
      assert.notEqual(fresh, secret);
      await done('webhook', 'test', 'pager');
      assert.ok(is_signed_by(secret, receiver.came[0]));
      assert.ok(is_signed_by(fresh, receiver.came[0]));
    });
  });

  test('TellsOfAnAuthorityOfItsOwnAndBelievesNoOther', async () => {
    const files = { key: server.file('receiver.key'), cert: server.file('receiver.pem') };
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=receiver', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
    const tls = { key: await readFile(files.key), cert: await readFile(files.cert) };
    await with_webhook(async () => {
      await done('webhook', 'test', 'pager');
      assert.ok(is_signed_by(secret, receiver.came[0]));
    }, { options: ['--receiver-ca', files.cert], tls });
    await done('webhook', 'remove', 'pager');
    await receiver.stop();
    await with_webhook(async () => {
      await refused(1, /certificate is not believed/, 'webhook', 'test', 'pager');
      assert.deepEqual(receiver.came, []);
    }, { tls });
  });

  test('TellsOfADeviceThatTurnsBad', { skip: without_users }, async () => {
    const policy = path.join(server.folder, 'policy.json');
    await writeFile(policy, JSON.stringify({ format: 'warifu.evidence-policy.v1', boot: { claims: ['kernel'] } }));
    await done('policy', 'put', policy);
    const machine = await Machine.prepare(server, 'meter');
    try {
      await machine.boot('uki-secure-boot');
      await machine.device.enroll(server, 'meter');
      await with_webhook(async () => {
        await machine.attest();
        await sleep(1500);
        assert.deepEqual(receiver.came, [], 'a first result that is not bad is no news');
        await machine.boot('qemu-kernel');
        assert.equal((await machine.attest()).layers.boot, 'contraindicated');
        const event = await eventually(() => receiver.came.find(({ body }) => JSON.parse(body).type === 'io.warifu.attestation.changed'), 'it is told', 10_000, () => server.log);
        assert.ok(is_signed_by(secret, event));
        const { subject, data } = JSON.parse(event.body);
        assert.equal(subject, 'registration:meter');
        assert.equal(data.overall, 'contraindicated');
        assert.equal(data.layers.boot, 'contraindicated');
        assert.ok(data.findings.some(({ code }) => code === 'boot.required'), event.body);
        await machine.boot('uki-secure-boot');
        await machine.attest();
        await eventually(() => receiver.came.length === 2, 'and that it is not bad any more');
        assert.equal(JSON.parse(receiver.came[1].body).data.before, 'contraindicated');
      }, { options: ['--event', 'io.warifu.attestation.changed'] });
    } finally {
      await machine.stop();
      await done('policy', 'delete');
    }
  });
});

describe('A webhook of two nodes', { skip: without_postgres }, () => {
  let postgres;
  let first;
  let second;
  let receiver;
  const { done } = operator_of(() => first);

  before(async () => {
    postgres = await Postgres.start();
    const environment = { WARIFU_DATABASE: postgres.url };
    [first, second] = [await Daemon.prepare(), await Daemon.prepare()];
    await make_first_node(first, environment);
    await make_second_node(first, second, environment, 'localhost');
    for (const node of [first, second]) await node.serve({ environment });
    await first.login();
    receiver = await new Receiver().start();
    await done('webhook', 'add', 'pager', receiver.url);
  });
  after(async () => {
    await receiver?.stop();
    await first?.stop();
    await second?.stop();
    await postgres?.stop();
  });

  const all_of = (ids, ms) => eventually(() => ids.every((id) => receiver.ids().includes(id)), 'every event came', ms, () => `${first.log}${second.log}`);

  test('GetsWhatBothWriteOnce', async () => {
    const token = first.access_token();
    const both = await Promise.all([queue_at(first, 20, token), queue_at(second, 20, token)]);
    await all_of(both.flat(), 30_000);
    await sleep(1500); // what would be sent twice is sent by now
    assert.equal(receiver.came.length, 40);
  });

  test('GoesOnWhenTheNodeThatSendsIsKilled', async () => {
    const token = first.access_token();
    receiver.answer = () => undefined;
    const ids = await queue_at(second, 5, token);
    await eventually(() => receiver.ids().includes(ids[0]), 'one node sends');
    await second.kill();
    receiver.answer = () => 204;
    ids.push(...await queue_at(first, 5, token));
    await all_of(ids, kLease);
  });
});
