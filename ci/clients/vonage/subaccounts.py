"""A partner's month through the vendor's Python client. Steps that are no calls of its API go by command."""

import json
import logging
import os
import subprocess
from datetime import datetime, timezone
from uuid import UUID

from vonage import Auth, HttpClientOptions, Vonage
from vonage_http_client.errors import (
    AuthenticationError,
    ForbiddenError,
    HttpRequestError,
    NotFoundError,
)
from vonage_subaccounts import (
    ListTransfersFilter,
    ModifySubaccountOptions,
    SubaccountOptions,
    TransferNumberRequest,
    TransferRequest,
)

# It logs every refusal that is provoked here.
logging.getLogger('vonage').setLevel(logging.CRITICAL)
host = os.environ['BURSAR_URL'].removeprefix('https://')
partner = json.loads(os.environ['PARTNER'])
prepaid = json.loads(os.environ['PREPAID'])
primary = partner['api_key']
EVER = '1970-01-01T00:00:00Z'


def client(key, secret):
    options = HttpClientOptions(api_host=host, rest_host=host)
    return Vonage(Auth(api_key=key, api_secret=secret), options)


def bursar(*arguments):
    return subprocess.run([os.environ['BURSAR'], *arguments], check=False, capture_output=True).returncode


def refused(error, status, what, call):
    """The call fails with this class and status; `what` stands in the answer."""
    try:
        call()
    except error as raised:
        body = raised.response.json()
        assert raised.response.status_code == status, body
        assert raised.response.headers['x-request-id'] == body['instance'], body
        assert what in json.dumps(body), body
        return body
    raise AssertionError(f'{status} expected: {what}')


def money(account):
    return account.balance, account.credit_limit


def month():
    api = client(primary, partner['secret'])
    subaccounts, account = api.subaccounts, api.account

    def family():
        """primary, subaccounts, total: each a balance and a limit."""
        page = subaccounts.list_subaccounts()
        total = page.total_balance, page.total_credit_limit
        return [money(page.primary_account), *map(money, page.subaccounts), total]

    def transfer(kind, source, target, amount, reference=None):
        request = TransferRequest(from_=source, to=target, amount=amount, reference=reference)
        made = getattr(subaccounts, f'transfer_{kind}')(request)
        UUID(made.id)
        assert (made.from_, made.to, made.amount) == (source, target, amount), made
        assert made.reference == (reference or ''), made
        assert made.created_at.endswith('.000Z'), made
        return made

    assert bursar('charge', primary, '20') == 0
    assert family() == [(-20, -100), (-20, -100)]
    assert account.get_balance().value == -20
    assert account.get_balance().auto_reload is False

    one = subaccounts.create_subaccount(SubaccountOptions(name='Tenant One'))
    assert (one.name, one.primary_account_api_key, one.suspended) == ('Tenant One', primary, False)
    assert one.use_primary_account_balance is True and money(one) == (None, None)
    assert len(one.api_key) == 8 and len(one.secret) >= 8, one
    two = subaccounts.create_subaccount(
        SubaccountOptions(name='Tenant Two', secret='Password123', use_primary_account_balance=True)
    )
    assert two.secret == 'Password123'
    assert family() == [(-20, -100), (None, None), (None, None), (-20, -100)]
    # Both secrets work, and both see what pays for them.
    for child in (one, two):
        assert client(child.api_key, child.secret).account.get_balance().value == -20

    split = subaccounts.modify_subaccount(
        one.api_key, ModifySubaccountOptions(use_primary_account_balance=False)
    )
    assert split.use_primary_account_balance is False and money(split) == (0, 0)

    first = transfer('credit', primary, one.api_key, 40, 'first tranche')
    assert family() == [(-20, -60), (0, -40), (None, None), (-20, -100)]
    assert bursar('charge', one.api_key, '40') == 0
    assert bursar('charge', one.api_key, '0.01') == 3
    assert family() == [(-20, -60), (-40, -40), (None, None), (-60, -100)]
    refused(ForbiddenError, 403, 'Insufficient Credit', lambda: transfer('credit', primary, one.api_key, 40.01))
    second = transfer('credit', primary, one.api_key, 20)
    assert bursar('charge', one.api_key, '10') == 0
    assert family() == [(-20, -40), (-50, -60), (None, None), (-70, -100)]

    assert bursar('top-up', primary, '70') == 0
    refused(ForbiddenError, 403, 'Insufficient Balance', lambda: transfer('balance', primary, one.api_key, 90.01))
    paid = transfer('balance', primary, one.api_key, 45, 'paid')
    assert family() == [(5, -40), (-5, -60), (None, None), (0, -100)]

    subaccounts.modify_subaccount(two.api_key, ModifySubaccountOptions(use_primary_account_balance=False))
    third = transfer('credit', primary, two.api_key, 30)
    assert bursar('charge', two.api_key, '25') == 0
    suspended = subaccounts.modify_subaccount(two.api_key, ModifySubaccountOptions(suspended=True))
    assert suspended.suspended is True and money(suspended) == (-25, -30)
    assert bursar('charge', two.api_key, '1') == 3
    refused(ForbiddenError, 403, 'account-suspended', client(two.api_key, two.secret).account.get_balance)
    reactivated = subaccounts.modify_subaccount(
        two.api_key, ModifySubaccountOptions(suspended=False, name='Tenant 2')
    )
    assert (reactivated.suspended, reactivated.name) == (False, 'Tenant 2')
    assert family() == [(5, -10), (-5, -60), (-25, -30), (-25, -100)]
    got = subaccounts.get_subaccount(two.api_key)
    assert got.name == 'Tenant 2' and money(got) == (-25, -30), got

    # Both ways, and back to where it was.
    back = transfer('credit', one.api_key, primary, 5.5)
    returned = transfer('balance', one.api_key, primary, 0.25)
    assert family() == [(5.25, -15.5), (-5.25, -54.5), (-25, -30), (-25, -100)]

    def logged(kind, **filter):
        listed = getattr(subaccounts, f'list_{kind}_transfers')(ListTransfersFilter(**filter))
        return [transfer.id for transfer in listed]

    assert logged('credit', start_date=EVER) == [back.id, third.id, second.id, first.id]
    assert logged('balance', start_date=EVER) == [returned.id, paid.id]
    assert logged('credit', start_date=EVER, subaccount=two.api_key) == [third.id]
    assert logged('credit', start_date=EVER, subaccount='00000000') == []
    assert logged('credit', start_date=EVER, end_date='2020-01-01T00:00:00Z') == []
    later = datetime.now(timezone.utc).replace(year=2100).strftime('%Y-%m-%dT%H:%M:%SZ')
    assert logged('credit', start_date=later) == []
    at = first.created_at.replace('.000Z', 'Z')
    assert first.id in logged('credit', start_date=at, end_date=at)
    (entry,) = subaccounts.list_balance_transfers(
        ListTransfersFilter(start_date=EVER, subaccount=one.api_key)
    )[1:]
    assert (entry.from_, entry.to, entry.amount, entry.reference) == (primary, one.api_key, 45, 'paid')

    number = TransferNumberRequest(from_=primary, to=one.api_key, number='447700900123', country='GB')
    refused(NotFoundError, 404, 'ShortCode not found', lambda: subaccounts.transfer_number(number))
    refused(ForbiddenError, 403, 'between a primary', lambda: transfer('balance', one.api_key, two.api_key, 1))
    refused(NotFoundError, 404, 'ffffffff', lambda: transfer('credit', primary, 'ffffffff', 1))
    refused(NotFoundError, 404, 'invalid-api-key', lambda: subaccounts.get_subaccount('ffffffff'))
    body = refused(HttpRequestError, 422, '"amount"', lambda: transfer('credit', primary, one.api_key, -1))
    assert body['invalid_parameters'][0]['name'] == 'amount', body
    back_to_shared = ModifySubaccountOptions(use_primary_account_balance=True)
    refused(
        HttpRequestError, 422, 'not supported', lambda: subaccounts.modify_subaccount(one.api_key, back_to_shared)
    )
    refused(
        HttpRequestError, 422, 'Malformed',
        lambda: subaccounts.list_credit_transfers(ListTransfersFilter(start_date='yesterday')),
    )
    wrong = client(primary, 'Wrong12345')
    refused(AuthenticationError, 401, 'unauthorized', wrong.subaccounts.list_subaccounts)
    refused(AuthenticationError, 401, 'authentication failed', wrong.account.get_balance)
    refused(
        ForbiddenError, 403, 'not provisioned', client(one.api_key, one.secret).subaccounts.list_subaccounts
    )


def prepaid_partner():
    api = client(prepaid['api_key'], prepaid['secret'])
    tenant = api.subaccounts.create_subaccount(
        SubaccountOptions(name='Tenant', use_primary_account_balance=False)
    )
    assert bursar('top-up', prepaid['api_key'], '50') == 0
    request = TransferRequest(from_=prepaid['api_key'], to=tenant.api_key, amount=20)
    refused(ForbiddenError, 403, 'Insufficient Credit', lambda: api.subaccounts.transfer_credit(request))
    api.subaccounts.transfer_balance(request)
    assert money(api.subaccounts.get_subaccount(tenant.api_key)) == (20, 0)
    assert api.account.get_balance().value == 30


month()
prepaid_partner()
