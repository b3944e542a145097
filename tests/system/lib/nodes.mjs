// Two nodes of one organisation, made as the operators' guide says ("Two nodes, PostgreSQL"), and what stands before them.
import { once } from 'node:events';
import net from 'node:net';
import { must_run } from './daemon.mjs';

const kPassphrase = 'correct horse battery staple';

/** The organisation, in the database that `environment` names; nobody serves it yet. */
export async function make_first_node(first, environment) {
  const args = ['init', '--data-dir', first.data_dir, '--org', 'Nodes', '--server-name', 'localhost', '--json'];
  ({ id_scope: first.id_scope, bootstrap_token: first.bootstrap_token } = JSON.parse(await must_run('warifud', args, { environment })));
}

/** The second node's data directory, from a backup of the first's. Resolves to what `backup` printed. */
export async function make_second_node(first, second, environment, server_name = 'second.example.com') {
  const passphrase = await first.write('passphrase', kPassphrase);
  const backup = first.file('backup');
  const printed = await must_run('warifud', ['backup', '--data-dir', first.data_dir, '--output', backup, '--passphrase-file', passphrase], { environment });
  await must_run('warifud', ['restore', '--input', backup, '--data-dir', second.data_dir, '--passphrase-file', passphrase]);
  await must_run('warifu-signer', ['allow', '--dir', `${second.data_dir}/signer`, '--server-name', server_name]);
  const name = ['certificate', 'renew', '--data-dir', second.data_dir, '--server-name', server_name];
  await must_run('warifud', name, { environment });
  second.id_scope = first.id_scope;
  return printed;
}

/** A balancer: each connection goes to the next node, or to the one after it if nobody answers there. */
export class Balancer {
  /** `urls`: of the nodes. */
  static async to(urls) {
    const balancer = new Balancer(urls);
    balancer.server_.listen(0, '127.0.0.1');
    await once(balancer.server_, 'listening');
    balancer.url = `https://127.0.0.1:${balancer.server_.address().port}`;
    return balancer;
  }

  constructor(urls) {
    this.urls_ = urls;
    this.connections = urls.map(() => 0); // that each node took
    this.next_ = 0;
    this.server_ = net.createServer((client) => this.#join(client, urls.length));
  }

  #join(client, tries) {
    client.on('error', () => {});
    const at = this.next_++ % this.urls_.length;
    const { hostname, port } = new URL(this.urls_[at]);
    const node = net.connect({ host: hostname, port });
    let is_there = false;
    node.on('error', () => (!is_there && tries > 1 ? this.#join(client, tries - 1) : client.destroy()));
    node.on('connect', () => {
      is_there = true;
      ++this.connections[at];
      client.pipe(node).pipe(client);
      client.on('close', () => node.destroy());
      node.on('close', () => client.destroy());
    });
  }

  close() {
    this.server_.close();
  }
}
