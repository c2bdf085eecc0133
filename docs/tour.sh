#!/usr/bin/env bash
# The tour of the README, line by line, with what each line must print. Needs the ledger of
# `make run`; may be repeated: its idempotency keys are always the same, so nothing happens twice.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Shows what comes in, and fails unless the pattern is in it.
expect() {
    local answer
    answer=$(cat)
    printf "%s\n" "$answer" | cut -c 1-400 | sed -n 1,12p
    if ! grep -q -- "$1" <<<"$answer"; then
        printf '\nThe tour went wrong: there is no %s in this. %s\n' "$1" \
            'It counts on wallet:kiran and wallet:lena being moved by nobody else.' >&2
        exit 1
    fi
}

BAHI=${BAHI:-http://127.0.0.1:8080}
KEY=${KEY:-$(cat "${BAHI_DATA:-.bahi}/demo-key")}
export BAHI KEY

say 'The key, and a short word for asking'
api() { curl -sS -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' "$@"; echo; }

say 'Two wallets'
api $BAHI/v1/accounts -H 'Idempotency-Key: open-kiran' \
    -d '{"code":"wallet:kiran","currency":"INR","owner":"kiran"}' | expect 'wallet:kiran:INR'
api $BAHI/v1/accounts -H 'Idempotency-Key: open-lena' \
    -d '{"code":"wallet:lena","currency":"INR","owner":"lena"}' | expect 'wallet:lena:INR'

say 'Money from the bank: an intent, a payment that names it, a webhook, an enquiry'
bank() { cargo run -q --locked -p ledger-api -- sandbox --url $(cat .bahi/demo-banks) "$@"; }
deposit=$(api $BAHI/v1/deposits -H 'Idempotency-Key: deposit-1' -d '{"account":"wallet:kiran:INR",
      "bank":"hdfc","amount":{"value":"2500.00","currency":"INR"}}' |
      grep -o 'dep_[0-9a-f]*' | head -1)
api $BAHI/v1/deposits/$deposit | grep -q awaiting_payment &&
      bank bank-credit --bank hdfc --amount 2500 --ref ${deposit/_/}
sleep 3
api $BAHI/v1/deposits/$deposit | expect '"status":"\(completed\|settled\)"'

say 'A transfer'
pay='{"kind":"transfer","debit":"wallet:kiran:INR","credit":"wallet:lena:INR",'
api $BAHI/v1/transactions -H 'Idempotency-Key: rent' \
    -d "$pay"'"amount":{"value":"500.00","currency":"INR"},"note":"Rent"}' | expect '"posted"'

say 'The same request again: the same answer, and nothing moves'
api -i $BAHI/v1/transactions -H 'Idempotency-Key: rent' \
    -d "$pay"'"amount":{"value":"500.00","currency":"INR"},"note":"Rent"}' | grep -i replayed \
    | expect '[Ii]dempotent-[Rr]eplayed: true'

say 'The key with another amount: refused'
api $BAHI/v1/transactions -H 'Idempotency-Key: rent' \
    -d "$pay"'"amount":{"value":"5000.00","currency":"INR"}}' | expect 'idempotency_key_reused'

say 'More than there is: refused'
api $BAHI/v1/transactions -H 'Idempotency-Key: too-much' \
    -d "$pay"'"amount":{"value":"5000.00","currency":"INR"}}' | expect 'insufficient_funds'

say 'A thousand transfers, sixteen at a time, and all of them once more'
one="$pay"'"amount":{"value":"1.00","currency":"INR"}}'
thousand() { seq 1000 | xargs -P 16 -I{} curl -sS -o /dev/null -w '%{http_code}\n' \
    $BAHI/v1/transactions -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \
    -H 'Idempotency-Key: one-{}' -d "$one" | sort | uniq -c; }
thousand | expect '1000 201'
thousand | expect '1000 201'

say '2500 − 500 − 1000 × 1, as of the end of the log'
head=$(curl -s $BAHI/readyz | sed 's/.*"head":\([0-9]*\).*/\1/')
api "$BAHI/v1/accounts/wallet:kiran:INR/balance?min_position=$head" | expect '"1000.00"'
api "$BAHI/v1/accounts/wallet:lena:INR/balance?min_position=$head" | expect '"1500.00"'

say 'The statement, and the events behind it as they come (two seconds of them)'
api "$BAHI/v1/accounts/wallet:lena:INR/statement?limit=2" | expect '"closing"'
{
    api -N --max-time 2 -H 'Accept: text/event-stream' \
        "$BAHI/v1/events?after_position=$((head - 4))" 2>/dev/null || true
} | expect 'event: '

say 'All accounts together'
api $BAHI/v1/trial-balance | expect '"balanced":true'

say 'Money to a bank that pays and never answers: nobody knows, and nothing is sent again'
payee=$(api "$BAHI/v1/bank-accounts?owner=asha" | grep -o 'ba_[0-9a-f]*' | head -1)
withdrawal=$(api $BAHI/v1/withdrawals -H 'Idempotency-Key: to-the-bank' -d '{
      "account":"wallet:asha:INR","bank_account":"'$payee'","bank":"hdfc","rail":"imps",
      "amount":{"value":"5000.13","currency":"INR"}}' | grep -o 'wd_[0-9a-f]*' | head -1)
sleep 12
api $BAHI/v1/withdrawals/$withdrawal | expect '"status":"\(outcome_unknown\|completed\)"'

say 'After 90 seconds, which the sandbox lets pass at once, its bank is asked'
bank clock advance 90s
sleep 3
api $BAHI/v1/withdrawals/$withdrawal | expect '"status":"completed"'

say 'The whole log, checked by a program that shares no rule with the one that wrote it'
make verify | expect 'VERIFIED'

say 'The tour is over.'
