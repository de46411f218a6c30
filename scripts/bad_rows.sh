#!/usr/bin/env bash
# A million rows with seven faults of seven kinds into a table with every kind of rule: how long it takes to load 999,993
# and name the seven, beside the same without faults and by one INSERT of psql.
# usage: scripts/bad_rows.sh [the unimig to run] [rows]
set -euo pipefail

unimig=$(realpath "${1:-target/release/unimig}")
rows=${2:-1000000}
folder=$(mktemp -d)
trap '"$unimig" --project-dir "$folder" server stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"
mkdir -p models/bl
cat > unimig.yml <<'END'
name: million
version: "1.0"
profile: million
END
cat > profiles.yml <<'END'
million:
  target: dev
  outputs:
    dev: {type: embedded, dbname: million, schema: app}
END
psql() { "$unimig" psql -- -v ON_ERROR_STOP=1 -XqAt "$@"; }
"$unimig" server start >/dev/null
psql <<'END'
create schema app;
create type app.state as enum ('open', 'paid');
create table app.customer (id bigint primary key, favourite bigint);
insert into app.customer select n from generate_series(1, 1000) as n;
create table app.purchase (
    id bigint generated always as identity primary key,
    code varchar(12) not null unique,
    amount numeric(8, 2) not null check (amount >= 0),
    quantity integer not null default 1,
    state app.state not null,
    customer_id bigint references app.customer,
    parent_id bigint references app.purchase,
    total numeric generated always as (amount * quantity) stored
);
alter table app.customer add foreign key (favourite) references app.purchase;
create function app.touch() returns trigger language plpgsql as 'begin return null; end';
create trigger touch after insert on app.purchase for each statement execute function app.touch();
END
select="select
    n as id,
    case n when 11 then 'far too long for it' when 12 then null when 13 then 'code 14' else 'code ' || n end as code,
    case n when 15 then -1 else n % 1000 end::numeric as amount,
    case n when 16 then 3000000000 else n % 100 end as quantity,
    case when n = 17 then 'lost' when n % 2 = 0 then 'open' else 'paid' end as state,
    case n when 18 then 5000 else 1 + n % 1000 end as customer_id,
    nullif(n % 10, n) as parent_id
from generate_series(1::bigint, $rows) as n"
step() { local began=$EPOCHREALTIME; "${@:2}"; printf '%-48s %6.1f s\n' "$1" "$(echo "$EPOCHREALTIME - $began" | bc)"; }
config() { { echo "{{ config(on_bad_rows='$1') }}"; echo "$select"; } > models/bl/purchase.sql; }
merge() { "$unimig" --quiet run >/dev/null 2>&1 || true; }
empty() { psql -c 'truncate app.purchase, app.customer cascade; insert into app.customer select n from generate_series(1, 1000) as n; drop table if exists unimig."bl.purchase"'; }

config quarantine
step "first load, seven set aside" merge
psql -c 'select count(*) from app.purchase'
psql -c "select row_key, column_name, rule from unimig.quarantine order by 3"
step "again, nothing changed" merge
config fail
step "refused, and the rules named" merge
"$unimig" run 2>&1 | grep 'would refuse' | head -1 || true
empty
config quarantine
sed -i -E 's/case n when 1[1-8] then [^ ]+( too long for it.)?( when 12 then null when 13 then .code 14.)? else/case when false then null else/; s/when n = 17 then .lost. //' models/bl/purchase.sql
step "first load without faults" merge
psql -c 'select count(*) from app.purchase'
sed -i 's/n % 1000) as amount/&/; s/^    case when false then null else n % 1000 end::numeric as amount/    case when n % 100 = 7 then 1.5 else n % 1000 end::numeric as amount/' models/bl/purchase.sql
step "1 % changed" merge
