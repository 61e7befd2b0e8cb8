// A partner's month through the vendor's Node clients. Steps that are no calls of its API go by command.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Auth } from '@vonage/auth';
import { Vonage } from '@vonage/server-sdk';
import { SubAccounts } from '@vonage/subaccounts';

const host = process.env.BURSAR_URL;
const partner = JSON.parse(process.env.PARTNER);
const prepaid = JSON.parse(process.env.PREPAID);
const primary = partner.api_key;
const EVER = '1970-01-01T00:00:00Z';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function client(apiKey, apiSecret) {
  const auth = new Auth({ apiKey, apiSecret });
  const options = { apiHost: host, restHost: host };
  return { subaccounts: new SubAccounts(auth, options), accounts: new Vonage(auth, options).accounts };
}

function bursar(...args) {
  return spawnSync(process.env.BURSAR, args).status;
}

/** The call fails with this status; `what` stands in the answer. */
async function refused(status, what, call) {
  const error = await call().then(() => assert.fail(`${status} expected: ${what}`), (error) => error);
  assert.ok(error.response, error);
  assert.equal(error.response.status, status, what);
  const body = await error.response.json();
  assert.equal(error.response.headers.get('x-request-id'), body.instance);
  assert.ok(JSON.stringify(body).includes(what), JSON.stringify(body));
  return body;
}

// Some calls hand the members over as they are on the wire, others in camel case.
const money = (it) => [it.balance, 'creditLimit' in it ? it.creditLimit : it.credit_limit];

async function month() {
  const { subaccounts, accounts } = client(primary, partner.secret);

  /** primary, subaccounts, total: each a balance and a limit */
  async function family() {
    const page = await subaccounts.getSubAccountPage();
    const { primary_account: first, subaccounts: others } = page._embedded;
    return [money(first), ...others.map(money), [page.total_balance, page.total_credit_limit]];
  }

  async function transfer(kind, from, to, amount, reference) {
    const made = await subaccounts[`transfer${kind}`]({ from, to, amount, reference });
    assert.match(made.id, UUID);
    assert.deepEqual([made.from, made.to, made.amount], [from, to, amount]);
    assert.equal(made.reference, reference ?? '');
    assert.equal(made[`${kind.toLowerCase()}TransferId`], made.id);
    assert.equal(made.masterAccountId, primary);
    return made;
  }

  assert.equal(bursar('charge', primary, '20'), 0);
  assert.deepEqual(await family(), [[-20, -100], [-20, -100]]);
  assert.deepEqual(await accounts.getBalance(), { value: -20, autoReload: false });
  assert.equal((await subaccounts.getPrimaryAccount()).apiKey, primary);

  const one = await subaccounts.createSubAccount({ name: 'Tenant One' });
  assert.deepEqual([one.name, one.suspended, one.usePrimaryAccountBalance], ['Tenant One', false, true]);
  assert.deepEqual(money(one), [null, null]);
  assert.match(one.apiKey, /^[0-9a-f]{8}$/);
  const two = await subaccounts.createSubAccount({ name: 'Tenant Two', secret: 'Password123' });
  assert.equal(two.secret, 'Password123');
  assert.deepEqual(await family(), [[-20, -100], [null, null], [null, null], [-20, -100]]);
  for (const child of [one, two]) {
    assert.equal((await client(child.apiKey, child.secret).accounts.getBalance()).value, -20);
  }

  const split = await subaccounts.updateSubAccount(one.apiKey, { usePrimaryAccountBalance: false });
  assert.equal(split.usePrimaryAccountBalance, false);
  assert.deepEqual(money(split), [0, 0]);

  const first = await transfer('Credit', primary, one.apiKey, 40, 'first tranche');
  assert.equal(bursar('charge', one.apiKey, '40'), 0);
  assert.equal(bursar('charge', one.apiKey, '0.01'), 3);
  assert.deepEqual(await family(), [[-20, -60], [-40, -40], [null, null], [-60, -100]]);
  await refused(403, 'Insufficient Credit', () => transfer('Credit', primary, one.apiKey, 40.01));
  const second = await transfer('Credit', primary, one.apiKey, 20);
  assert.equal(bursar('charge', one.apiKey, '10'), 0);
  assert.deepEqual(await family(), [[-20, -40], [-50, -60], [null, null], [-70, -100]]);

  assert.equal(bursar('top-up', primary, '70'), 0);
  await refused(403, 'Insufficient Balance', () => transfer('Balance', primary, one.apiKey, 90.01));
  const paid = await transfer('Balance', primary, one.apiKey, 45, 'paid');
  assert.deepEqual(await family(), [[5, -40], [-5, -60], [null, null], [0, -100]]);

  await subaccounts.updateSubAccount(two.apiKey, { usePrimaryAccountBalance: false });
  const third = await transfer('Credit', primary, two.apiKey, 30);
  assert.equal(bursar('charge', two.apiKey, '25'), 0);
  const suspended = await subaccounts.updateSubAccount(two.apiKey, { suspended: true });
  assert.equal(suspended.suspended, true);
  assert.equal(bursar('charge', two.apiKey, '1'), 3);
  await refused(403, 'account-suspended', () => client(two.apiKey, two.secret).accounts.getBalance());
  const reactivated = await subaccounts.updateSubAccount(two.apiKey, { suspended: false, name: 'Tenant 2' });
  assert.deepEqual([reactivated.suspended, reactivated.name], [false, 'Tenant 2']);
  assert.deepEqual(await family(), [[5, -10], [-5, -60], [-25, -30], [-25, -100]]);
  assert.deepEqual(money(await subaccounts.getSubAccount(two.apiKey)), [-25, -30]);
  assert.deepEqual((await subaccounts.listSubAccounts()).map((it) => it.name), ['Tenant One', 'Tenant 2']);

  const back = await transfer('Credit', one.apiKey, primary, 5.5);
  const returned = await transfer('Balance', one.apiKey, primary, 0.25);
  assert.deepEqual(await family(), [[5.25, -15.5], [-5.25, -54.5], [-25, -30], [-25, -100]]);

  const logged = async (kind, filter) => {
    const listed = await subaccounts[`list${kind}Transfers`](filter);
    return listed.map((it) => it.id);
  };
  const all = { startDate: EVER };
  assert.deepEqual(await logged('Credit', all), [back.id, third.id, second.id, first.id]);
  assert.deepEqual(await logged('Balance', all), [returned.id, paid.id]);
  assert.deepEqual(await logged('Credit', { ...all, subaccount: two.apiKey }), [third.id]);
  assert.deepEqual(await logged('Credit', { ...all, subaccount: '00000000' }), []);
  assert.deepEqual(await logged('Credit', { ...all, endDate: '2020-01-01T00:00:00Z' }), []);
  assert.deepEqual(await logged('Credit', { startDate: '2100-01-01T00:00:00Z' }), []);

  const number = { from: primary, to: one.apiKey, number: '447700900123', country: 'GB' };
  await refused(404, 'ShortCode not found', () => subaccounts.transferNumber(number));
  await refused(403, 'between a primary', () => transfer('Balance', one.apiKey, two.apiKey, 1));
  await refused(404, 'ffffffff', () => transfer('Credit', primary, 'ffffffff', 1));
  await refused(404, 'invalid-api-key', () => subaccounts.getSubAccount('ffffffff'));
  const text = await refused(422, 'JSON number', () => transfer('Credit', primary, one.apiKey, '0.50'));
  assert.equal(text.invalid_parameters[0].name, 'amount');
  await refused(422, 'not supported', () =>
    subaccounts.updateSubAccount(one.apiKey, { usePrimaryAccountBalance: true }));
  await refused(422, 'Malformed', () => subaccounts.listCreditTransfers({ startDate: 'yesterday' }));
  await refused(422, 'complexity', () => subaccounts.createSubAccount({ name: 'x', secret: 'short' }));
  const wrong = client(primary, 'Wrong12345');
  await refused(401, 'unauthorized', () => wrong.subaccounts.getSubAccountPage());
  await refused(401, 'authentication failed', () => wrong.accounts.getBalance());
  await refused(403, 'not provisioned', () => client(one.apiKey, one.secret).subaccounts.getSubAccountPage());
}

async function prepaidPartner() {
  const { subaccounts, accounts } = client(prepaid.api_key, prepaid.secret);
  const tenant = await subaccounts.createSubAccount({ name: 'Tenant', usePrimaryAccountBalance: false });
  assert.equal(bursar('top-up', prepaid.api_key, '50'), 0);
  const request = { from: prepaid.api_key, to: tenant.apiKey, amount: 20 };
  await refused(403, 'Insufficient Credit', () => subaccounts.transferCredit(request));
  await subaccounts.transferBalance(request);
  assert.deepEqual(money(await subaccounts.getSubAccount(tenant.apiKey)), [20, 0]);
  assert.equal((await accounts.getBalance()).value, 30);
}

await month();
await prepaidPartner();
