// The Account API through the vendor's Node clients: balance, top-up, settings, secrets, numbers.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Auth } from '@vonage/auth';
import { Vonage } from '@vonage/server-sdk';
import { SubAccounts } from '@vonage/subaccounts';

const host = process.env.BURSAR_URL;
const partner = JSON.parse(process.env.PARTNER);
const key = partner.api_key;
const TRX = '8ef2447e69604f642ae59363aa5f781b';
const NUMBER = process.env.NUMBER;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function client(apiSecret, apiKey = key) {
  const auth = new Auth({ apiKey, apiSecret });
  const options = { apiHost: host, restHost: host };
  const { accounts, secrets } = new Vonage(auth, options);
  return { accounts, secrets, subaccounts: new SubAccounts(auth, options) };
}

function bursar(...args) {
  const { status, stdout, stderr } = spawnSync(process.env.BURSAR, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** The call fails with this status; `what` stands in the answer. */
async function refused(status, what, call) {
  const error = await call().then(() => assert.fail(`${status} expected: ${what}`), (error) => error);
  assert.ok(error.response, error);
  assert.equal(error.response.status, status, what);
  const body = await error.response.json();
  assert.ok(JSON.stringify(body).includes(what), JSON.stringify(body));
  return body;
}

async function balanceAndTopUp({ accounts }) {
  const start = await accounts.getBalance();
  assert.equal(start.autoReload, false);
  await refused(401, 'not auto-reload enabled', () => accounts.topUpBalance(TRX));
  bursar('reload', 'set', key, '10', '--reference', TRX, '--provider', 'test');
  const done = await accounts.topUpBalance(TRX);
  assert.deepEqual(done, { 'error-code': '200', 'error-code-label': 'success' });
  assert.deepEqual(await accounts.getBalance(), { value: start.value + 10, autoReload: true });
  await refused(401, 'not auto-reload enabled', () => accounts.topUpBalance('another'));
  bursar('reload', 'set', key, '5', '--reference', TRX);
  await refused(401, 'topup failed', () => accounts.topUpBalance(TRX));
  bursar('reload', 'decline', key);
  await refused(401, 'topup failed', () => accounts.topUpBalance(TRX));
  bursar('reload', 'approve', key);
  assert.equal((await accounts.getBalance()).value, start.value + 15);
}

async function settings({ accounts }) {
  const mo = 'https://hooks.example/mo';
  const set = await accounts.updateAccountCallbacks({ moCallBackUrl: mo, drCallBackUrl: 'https://hooks.example/dr' });
  assert.equal(set['mo-callback-url'], mo);
  assert.equal(set['max-calls-per-second'], 30);
  const unset = await accounts.updateAccountCallbacks({ drCallBackUrl: '' });
  assert.deepEqual([unset['mo-callback-url'], unset['dr-callback-url']], [mo, '']);
  await refused(422, 'drCallBackUrl', () => accounts.updateAccountCallbacks({ drCallBackUrl: 'ftp://x' }));
}

/** Rotation without a call that fails: add, change over, revoke. */
async function secrets({ secrets }) {
  const { _embedded: { secrets: [first] } } = await secrets.listSecrets(key);
  assert.match(first.id, UUID);
  assert.deepEqual(await secrets.getSecret(key, first.id), first);
  const second = await secrets.createSecret(key, 'Rotated1now');
  assert.match(second.id, UUID);
  await refused(403, 'add-excess-secret', () => secrets.createSecret(key, 'Rotated2now'));
  const rotated = client('Rotated1now');
  await rotated.secrets.deleteSecret(key, first.id);
  await refused(401, 'unauthorized', () => secrets.listSecrets(key));
  await refused(404, 'invalid-id', () => rotated.secrets.getSecret(key, first.id));
  await refused(403, 'delete-last-secret', () => rotated.secrets.deleteSecret(key, second.id));
  for (const weak of ['short1A', 'alllowercase1', 'ALLUPPERCASE1', 'NoDigitsHere', 'Longer1'.repeat(4), 'Rotated1now']) {
    const body = await refused(400, 'secret-management#validation', () => rotated.secrets.createSecret(key, weak));
    assert.equal(body.invalid_parameters[0].name, 'secret');
  }
  return rotated;
}

async function numbers({ secrets, subaccounts }) {
  const tenant = await subaccounts.createSubAccount({ name: 'Tenant' });
  const move = (from, to) => subaccounts.transferNumber({ from, to, number: NUMBER, country: 'GB' });
  await refused(404, 'ShortCode not found', () => move(key, tenant.apiKey));
  bursar('numbers', 'assign', key, NUMBER, '--country', 'GB');
  const moved = await move(key, tenant.apiKey);
  assert.deepEqual([moved.number, moved.country, moved.to], [NUMBER, 'GB', tenant.apiKey]);
  await refused(409, 'transfer-conflict', () => move(key, tenant.apiKey));
  bursar('account', 'suspend', tenant.apiKey);
  await refused(403, 'is banned', () => move(tenant.apiKey, key));
  bursar('account', 'reactivate', tenant.apiKey);
  await move(tenant.apiKey, key);
  bursar('numbers', 'release', key, NUMBER);
  // A primary manages the secrets of its subaccounts.
  const added = await secrets.createSecret(tenant.apiKey, 'Tenant2nd');
  const { _embedded } = await secrets.listSecrets(tenant.apiKey);
  assert.equal(_embedded.secrets.length, 2);
  await secrets.deleteSecret(tenant.apiKey, added.id);
  await refused(404, 'invalid-api-key', () => secrets.listSecrets('ffffffff'));
}

const first = client(partner.secret);
await balanceAndTopUp(first);
await settings(first);
await numbers(await secrets(first));
