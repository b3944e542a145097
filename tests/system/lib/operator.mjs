// `warifu` as a daemon's logged-in operator, with what is expected of it.
import assert from 'node:assert/strict';

/** daemon(): the running Daemon. done() resolves to stdout of an exit code 0, json() to what --json printed; refused() expects an exit code and what stderr says. */
export function operator_of(daemon) {
  const warifu = (...args) => daemon().operator(args);
  async function done(...args) {
    const { code, stdout, stderr } = await warifu(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  }
  const json = async (...args) => JSON.parse(await done(...args, '--json'));
  async function refused(code, pattern, ...args) {
    const outcome = await warifu(...args);
    assert.equal(outcome.code, code, `${args.join(' ')}: exit ${outcome.code}: ${outcome.stdout}${outcome.stderr}`);
    assert.match(outcome.stderr, pattern);
  }
  return { done, json, refused };
}
