// Runs the vendor's service SDK, unmodified, in a process of its own: NODE_EXTRA_CA_CERTS is read only when Node starts.
//
//   node service_child.mjs            standard input is JSON: {connection_string, calls: [[method, ...arguments], …]}
// Prints one line of JSON: the outcome of each call, {ok, result | error: {name, message, status, body}}. A query is the call
// ["query", factory, arguments of the factory…]: its pages, one array each.
import { text } from 'node:stream/consumers';
import { ProvisioningServiceClient } from './service_sdk.mjs';

const { connection_string, calls } = JSON.parse(await text(process.stdin));
const client = ProvisioningServiceClient.fromConnectionString(connection_string);

// With callbacks: the Promise form of runBulkEnrollmentOperation never settles in 1.11.2.
function call(object, method, values) {
  return new Promise((resolve, reject) => object[method](...values, (error, result) => (error ? reject(error) : resolve(result))));
}

async function pages_of([factory, ...values]) {
  const query = client[factory](...values);
  const pages = [];
  while (query.hasMoreResults) pages.push(await call(query, 'next', []));
  return pages;
}

function describe(error) {
  return { name: error.constructor.name, message: error.message, status: error.response?.statusCode, body: error.responseBody };
}

const outcomes = [];
for (const [method, ...values] of calls) {
  try {
    const result = method === 'query' ? await pages_of(values) : await call(client, method, values);
    outcomes.push({ ok: true, result });
  } catch (error) {
    outcomes.push({ ok: false, error: describe(error) });
  }
}
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
