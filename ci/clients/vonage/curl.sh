#!/usr/bin/env bash
# The calls of the vendor's documents as a shell makes them, with only the host replaced: the Account API,
# its secrets, and subaccounts. Each says which status it expects and what its answer holds.
set -euo pipefail

field() { python3 -c 'import json, sys; value = json.load(sys.stdin)
for name in sys.argv[1].split("."): value = value[int(name) if name.isdigit() else name]
print(value)' "$1"; }
VONAGE_API_KEY=$(field api_key <<<"$PARTNER")
VONAGE_API_SECRET=$(field secret <<<"$PARTNER")
TRX=8ef2447e69604f642ae59363aa5f781b
rest=$BURSAR_URL api=$BURSAR_URL
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# expect STATUS TEXT, then the arguments of curl
expect() {
    local status=$1 text=$2 got
    shift 2
    got=$(curl --silent --show-error --cacert "$BURSAR_CA_FILE" --output "$answer" --write-out '%{http_code}' "$@")
    if [ "$got" != "$status" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$answer"; }; then
        echo "curl $* answered $got: $(cat "$answer")" >&2
        exit 1
    fi
}

"$BURSAR" reload set "$VONAGE_API_KEY" 10 --reference "$TRX" --provider test >/dev/null
"$BURSAR" numbers assign "$VONAGE_API_KEY" "$NUMBER" --country GB >/dev/null
credentials="api_key=$VONAGE_API_KEY&api_secret=$VONAGE_API_SECRET"
user="$VONAGE_API_KEY:$VONAGE_API_SECRET"
json='Content-Type: application/json'

# account
expect 200 '"value":0' "$rest/account/get-balance?$credentials"
expect 200 '"autoReload":true' "$rest/account/get-balance" -u "$user"
expect 200 '"success"' -X POST "$rest/account/top-up?$credentials" \
    -H "Content-Type: application/x-www-form-urlencoded" -d '{"trx":"'$TRX'"}'
expect 200 '"success"' -X POST "$rest/account/top-up" -u "$user" -d "trx=$TRX"
expect 200 '"value":20' "$rest/account/get-balance?$credentials"
expect 200 '"mo-callback-url":"https://hooks.example/mo"' -X POST "$rest/account/settings" -u "$user" \
    -d "moCallBackUrl=https://hooks.example/mo"
expect 200 '"dr-callback-url":""' -X POST "$rest/account/settings?$credentials" -d ''

# secrets
expect 201 '"created_at"' -X POST "$api/accounts/$VONAGE_API_KEY/secrets" -H "$json" -u "$user" \
    -d '{"secret":"An0ther-g00d_s3cr3t"}'
SECRET_ID=$(field id <"$answer")
expect 200 "$SECRET_ID" "$api/accounts/$VONAGE_API_KEY/secrets" -u "$user"
expect 200 "$SECRET_ID" "$api/accounts/$VONAGE_API_KEY/secrets/$SECRET_ID" -u "$user"
expect 204 '' -X DELETE "$api/accounts/$VONAGE_API_KEY/secrets/$SECRET_ID" -u "$user"

# subaccounts
subaccounts=$api/accounts/$VONAGE_API_KEY/subaccounts
expect 200 '"secret":"Tenant0ne"' -X POST -u "$user" "$subaccounts" -H "$json" \
    -d '{"name":"Tenant One", "secret":"Tenant0ne"}'
SUBACCOUNT_KEY=$(field api_key <"$answer")
expect 200 "$SUBACCOUNT_KEY" -X GET -u "$user" "$subaccounts"
expect 200 '"suspended":true' -X PATCH "$subaccounts/$SUBACCOUNT_KEY" -u "$user" -H "$json" -d '{"suspended":true}'
expect 200 '"suspended":false' -X PATCH "$subaccounts/$SUBACCOUNT_KEY" -u "$user" -H "$json" -d '{"suspended":false}'
expect 200 '"balance":0' -X PATCH "$subaccounts/$SUBACCOUNT_KEY" -u "$user" -H "$json" \
    -d '{"use_primary_account_balance":false}'
between='"from":"'$VONAGE_API_KEY'", "to":"'$SUBACCOUNT_KEY'"'
expect 200 '"credit_transfer_id"' -X POST "$api/accounts/$VONAGE_API_KEY/credit-transfers" -u "$user" -H "$json" \
    -d "{$between, \"amount\": 5}"
expect 200 '"balance_transfer_id"' -X POST "$api/accounts/$VONAGE_API_KEY/balance-transfers" -u "$user" -H "$json" \
    -d "{$between, \"amount\": 5}"
# Published without a date.
expect 200 "$SUBACCOUNT_KEY" -X GET -u "$user" "$api/accounts/$VONAGE_API_KEY/balance-transfers"
expect 200 "$SUBACCOUNT_KEY" -X GET -u "$user" "$api/accounts/$VONAGE_API_KEY/credit-transfers"
expect 200 "\"number\":\"$NUMBER\"" -X POST "$api/accounts/$VONAGE_API_KEY/transfer-number" -u "$user" -H "$json" \
    -d "{$between, \"number\": \"$NUMBER\", \"country\": \"GB\"}"
