-- name: clock
select
    clock_timestamp() as source_clock,
    coalesce(
        (
            select min(xact_start)
            from pg_stat_activity
            where pid <> pg_backend_pid()
                and datname = current_database()
        ),
        clock_timestamp()
    ) as oldest_transaction_at,
    -- Other roles' transactions show their start only to who may read all statistics, a primary's not to its replica.
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') and not pg_is_in_recovery() as sees_transactions

-- name: prepared_transactions
select min(prepared)
from pg_prepared_xacts
where database = current_database()

-- name: open_snapshot
begin isolation level repeatable read read only

-- name: export_snapshot
select pg_export_snapshot()

-- name: join_snapshot
begin isolation level repeatable read read only;
set transaction snapshot {{ snapshot }}

-- name: rows_of_table
select
{{ names | lines }}
from {{ relation }}
{% if condition %}
where {{ condition }}
{% endif %}

-- name: rows_of_select_head
select
{{ names | lines }}
from (

-- name: rows_of_select_tail
) as extraction
{% if condition %}
where {{ condition }}
{% endif %}

-- name: window
(
{% for column in columns %}
{% if column.upper %}
    ({{ column.name }} >= {{ column.lower }} and {{ column.name }} < {{ column.upper }}) or
{% else %}
    {{ column.name }} >= {{ column.lower }} or
{% endif %}
{% endfor %}
    num_nonnulls({{ names | inline }}) = 0
)

-- name: above
{{ column }} > {{ key }}

-- name: greatest_key
select max({{ column }})::text
from {{ relation }}

-- name: greatest_key_of_select_head
select max({{ column }})::text
from (
