"""The Account API through the vendor's Python client: balance, top-up, settings, secrets, numbers."""

import json
import logging
import os
import subprocess
from uuid import UUID

from vonage import Auth, HttpClientOptions, Vonage
from vonage_account.errors import InvalidSecretError
from vonage_http_client.errors import (
    AuthenticationError,
    ForbiddenError,
    HttpRequestError,
    NotFoundError,
)
from vonage_subaccounts import SubaccountOptions, TransferNumberRequest

# It logs every refusal that is provoked here.
logging.getLogger('vonage').setLevel(logging.CRITICAL)
host = os.environ['BURSAR_URL'].removeprefix('https://')
partner = json.loads(os.environ['PARTNER'])
key = partner['api_key']
TRX = '8ef2447e69604f642ae59363aa5f781b'
NUMBER = os.environ['NUMBER']


def client(secret, api_key=key):
    options = HttpClientOptions(api_host=host, rest_host=host)
    return Vonage(Auth(api_key=api_key, api_secret=secret), options)


def bursar(*arguments):
    done = subprocess.run([os.environ['BURSAR'], *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def refused(error, status, what, call):
    """The call fails with this class and status; `what` stands in the answer."""
    try:
        call()
    except error as raised:
        body = raised.response.json()
        assert raised.response.status_code == status, body
        assert what in json.dumps(body), body
        return body
    raise AssertionError(f'{status} expected: {what}')


def balance_and_top_up(account):
    start = account.get_balance()
    assert start.auto_reload is False
    refused(AuthenticationError, 401, 'not auto-reload enabled', lambda: account.top_up(TRX))
    bursar('reload', 'set', key, '10', '--reference', TRX, '--provider', 'test')
    done = account.top_up(TRX)
    assert (done.error_code, done.error_code_label) == ('200', 'success'), done
    now = account.get_balance()
    assert (now.value, now.auto_reload) == (start.value + 10, True), now
    refused(AuthenticationError, 401, 'not auto-reload enabled', lambda: account.top_up('another'))
    bursar('reload', 'set', key, '5', '--reference', TRX)
    for _ in range(2):
        refused(AuthenticationError, 401, 'topup failed', lambda: account.top_up(TRX))
    assert account.get_balance().value == start.value + 10
    bursar('reload', 'approve', key)
    assert account.get_balance().value == start.value + 15
    bursar('reload', 'set', key, '5', '--reference', TRX, '--off')
    assert account.get_balance().auto_reload is False


def settings(account):
    set_to = account.update_default_sms_webhook('https://hooks.example/mo', 'https://hooks.example/dr')
    assert (set_to.mo_callback_url, set_to.dr_callback_url) == (
        'https://hooks.example/mo',
        'https://hooks.example/dr',
    ), set_to
    assert set_to.max_outbound_request == set_to.max_inbound_request == set_to.max_calls_per_second == 30
    unset = account.update_default_sms_webhook(mo_callback_url='')
    assert (unset.mo_callback_url, unset.dr_callback_url) == ('', 'https://hooks.example/dr'), unset
    refused(
        HttpRequestError, 422, 'moCallBackUrl',
        lambda: account.update_default_sms_webhook(mo_callback_url='not a url'),
    )
    bursar('settings', 'set', key, '--throughput', '50', '40', '30')
    assert account.update_default_sms_webhook(dr_callback_url='').max_outbound_request == 50


def secrets(account):
    """Rotation without a call that fails: add, change over, revoke."""
    (first,) = account.list_secrets()
    UUID(first.id)
    assert account.get_secret(first.id) == first
    second = account.create_secret('Rotated1now')
    assert second.created_at.endswith('Z') and '.' not in second.created_at, second
    assert [it.id for it in account.list_secrets()] == [first.id, second.id]
    body = refused(ForbiddenError, 403, 'add-excess-secret', lambda: account.create_secret('Rotated2now'))
    assert body['detail'] == 'Account reached maximum number [2] of allowed secrets', body
    try:
        account.create_secret('weak')
        raise AssertionError('the client checks the rules itself')
    except InvalidSecretError:
        pass
    rotated = client('Rotated1now')
    rotated.account.revoke_secret(first.id)
    refused(AuthenticationError, 401, 'authentication failed', account.get_balance)
    refused(AuthenticationError, 401, 'unauthorized', account.list_secrets)
    refused(NotFoundError, 404, 'invalid-id', lambda: rotated.account.get_secret(first.id))
    refused(ForbiddenError, 403, 'delete-last-secret', lambda: rotated.account.revoke_secret(second.id))
    # After a leak: whatever there was proves nothing any more.
    fresh = json.loads(bursar('secrets', 'reissue', key, '--json'))['secret']
    refused(AuthenticationError, 401, 'authentication failed', rotated.account.get_balance)
    return client(fresh)


def numbers(api):
    tenant = api.subaccounts.create_subaccount(SubaccountOptions(name='Tenant'))
    there = TransferNumberRequest(from_=key, to=tenant.api_key, number=NUMBER, country='GB')
    refused(NotFoundError, 404, 'ShortCode not found', lambda: api.subaccounts.transfer_number(there))
    bursar('numbers', 'assign', key, NUMBER, '--country', 'GB')
    moved = api.subaccounts.transfer_number(there)
    assert (moved.number, moved.country, moved.from_, moved.to) == (NUMBER, 'GB', key, tenant.api_key), moved
    refused(HttpRequestError, 409, 'transfer-conflict', lambda: api.subaccounts.transfer_number(there))
    back = TransferNumberRequest(from_=tenant.api_key, to=key, number=NUMBER, country='GB')
    assert api.subaccounts.transfer_number(back).to == key
    other = api.subaccounts.create_subaccount(SubaccountOptions(name='Other'))
    wrong = TransferNumberRequest(from_=other.api_key, to=tenant.api_key, number=NUMBER, country='GB')
    refused(ForbiddenError, 403, 'relationship', lambda: api.subaccounts.transfer_number(wrong))
    bursar('numbers', 'release', key, NUMBER)


api = client(partner['secret'])
balance_and_top_up(api.account)
settings(api.account)
numbers(secrets(api.account))
