// `warifu` on enrollments of every kind, groups, approvals, alerts and explanations, against a real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { operator_of } from './lib/operator.mjs';
import { any_ek } from './lib/software_tpm.mjs';

let daemon;
before(async () => (daemon = await Daemon.start()));
after(() => daemon?.stop());

const { done, json, refused } = operator_of(() => daemon);

describe('An enrollment', () => {
  test('WithKeysOfItsOwnKeepsThemAndWhatNoOptionNames', async () => {
    const key = Buffer.alloc(32, 7).toString('base64');
    const file = await daemon.write('key', `${key}\n`);
    const twin = await daemon.write('twin', '{"interval":5}');
    const created = await json('enrollment', 'create', '--registration-id', 'lamp-1', '--symmetric', '--primary-key-file', file,
      '--hub', 'a.example', '--hub', 'b.example', '--device-id', 'lamp', '--initial-twin', twin);
    assert.equal(created.enabled, true);
    assert.deepEqual(created.hubs, ['a.example', 'b.example']);
    const disabled = await json('enrollment', 'disable', 'lamp-1');
    assert.deepEqual(disabled.changes, [{ field: 'enabled', from: 'true', to: 'false' }]);
    assert.equal((await json('enrollment', 'update', 'lamp-1', '--reprovision', 'reset', '--dry-run')).outcome, 'updated');
    assert.equal((await json('enrollment', 'enable', 'lamp-1')).reprovision, null);
    const shown = await json('enrollment', 'show', 'lamp-1');
    assert.deepEqual([shown.hubs, shown.device_id, shown.initial_twin, shown.enabled], [['a.example', 'b.example'], 'lamp', { interval: 5 }, true]);
    assert.equal((await json('enrollment', 'keys', 'lamp-1')).primary_key, key);
  });

  test('IsByOneThingAndNotByTwo', async () => {
    await refused(2, /1 option/, 'enrollment', 'create', '--registration-id', 'x', '--symmetric', '--tpm-ek', 'ek.pub');
    await refused(2, /1 option/, 'enrollment', 'create', '--registration-id', 'x');
    await refused(2, /initial|twin|json|syntax/i, 'enrollment', 'create', '--registration-id', 'x', '--symmetric', '--initial-twin', await daemon.write('bad', '{'));
    await refused(1, /no enrollment/, 'enrollment', 'show', 'x');
    await refused(1, /no enrollment/, 'enrollment', 'update', 'x', '--disabled');
  });
});

describe('A group', () => {
  test('HasTheEksOfItsFiles', async () => {
    await done('enrollment-group', 'create', '--group-id', 'plant', '--tpm', '--naming', 'pump-*');
    const eks = [any_ek(), any_ek(), any_ek()];
    const list = await daemon.write('eks.txt', `${eks[0].toString('base64')}\n\n${eks[1].toString('base64')}\n`);
    const one = await daemon.write('ek.pub', eks[2]);
    assert.deepEqual(await json('enrollment-group', 'add-eks', 'plant', list, one), { group_id: 'plant', added: 3, updated: 0, unchanged: 0 });
    assert.match(await done('enrollment-group', 'add-eks', 'plant', one), /^0 EKs were added to plant; 1 were/);
    const listed = await json('enrollment-group', 'list-eks', 'plant');
    assert.deepEqual(listed.map(({ endorsement_key }) => endorsement_key).sort(), eks.map((ek) => ek.toString('base64')).sort());
    await done('enrollment-group', 'remove-ek', 'plant', listed[0].ek_name);
    await refused(1, /not on the list/, 'enrollment-group', 'remove-ek', 'plant', listed[0].ek_name);
    assert.equal((await json('enrollment-group', 'list-eks', 'plant')).length, 2);
    assert.deepEqual(await json('device', 'list', '--group', 'plant'), []);
    await refused(1, /no enrollment group/, 'device', 'list', '--group', 'nobody');
  });

  test('IsChangedAndDeleted', async () => {
    await done('enrollment-group', 'create', 'lamps', '--symmetric');
    assert.match(await done('enrollment-group', 'update', 'lamps', '--disabled'), /enabled: true -> false/);
    assert.match(await done('enrollment-group', 'list'), /^lamps +symmetric-key +false/m);
    assert.equal(Buffer.from((await json('enrollment-group', 'keys', 'lamps')).primary_key, 'base64').length, 32);
    await done('enrollment-group', 'delete', 'lamps');
    await refused(1, /no enrollment group/, 'enrollment-group', 'show', 'lamps');
  });
});

test('AnExplanationIsReadableAndJson', async () => {
  await done('enrollment', 'create', '--registration-id', 'lamp-2', '--symmetric', '--disabled');
  assert.match(await done('registration', 'explain', 'lamp-2'), /^The enrollment of lamp-2 is disabled[^]*\nenrollment +symmetric-key\n/);
  assert.equal((await json('registration', 'explain', 'lamp-2')).registration_id, 'lamp-2');
  await refused(1, /nobody enrolled/, 'registration', 'explain', 'nobody');
  await refused(1, /does not wait/, 'approval', 'approve', 'lamp-2');
  const name = `000b${'0'.repeat(64)}`;
  await refused(1, /does not wait/, 'approval', 'reject', 'lamp-2', '--ek-name', name, '--srk-name', name);
  await refused(2, /--srk-name/, 'approval', 'approve', 'lamp-2', '--ek-name', name);
  await refused(1, /no alert/, 'alert', 'acknowledge', '--registration-id', 'lamp-2', '--kind', 'ek.duplicate', '--subject', 'x');
  for (const noun of ['approval', 'alert', 'registration']) assert.deepEqual(await json(noun, 'list'), []);
});

test('EveryVerbHasHelpWithAnExample', async () => {
  const verbs = {
    enrollment: ['create', 'list', 'show', 'update', 'enable', 'disable', 'keys', 'delete'],
    'enrollment-group': ['create', 'list', 'show', 'update', 'keys', 'delete', 'add-eks', 'list-eks', 'remove-ek', 'devices'],
    device: ['list', 'show', 'hub-key', 'escrow'], registration: ['list', 'explain'], approval: ['list', 'approve', 'reject'], alert: ['list', 'acknowledge'],
  };
  for (const [noun, names] of Object.entries(verbs)) {
    for (const name of names) assert.match(await done(noun, name, '--help'), new RegExp(`Example: warifu ${noun} ${name}`));
  }
});
