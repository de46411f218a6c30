-- name: server_version
select current_setting('server_version_num')::integer

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
    ({% for column in columns %}{{ column.name }} is null{% if not loop.last %} and {% endif %}{% endfor %})
)

-- name: above
({{ column }} > {{ key }} or {{ column }} is null)

-- name: look_at_key
begin read only;
set local lock_timeout = '5s'

-- name: greatest_key
select max({{ column }})::text
from {{ relation }}

-- name: greatest_key_of_select_head
select max({{ column }})::text
from (

-- name: pages
ctid >= '({{ lower }},0)'{% if upper is not none %} and ctid < '({{ upper }},0)'{% endif %}


-- name: extents
with recursive tree as (
    select
        class.oid,
        class.relkind,
        -- Policies of a table itself hold for each of its slices; those of a parent not for its partitions, and those of
        -- a partition not where it is read through its parent.
        class.relrowsecurity and class.relkind = 'p' as is_guarded
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    where namespace.nspname = $1
        and class.relname = $2
    union all
    select
        part.oid,
        part.relkind,
        tree.is_guarded or part.relrowsecurity
    from tree
    join pg_inherits as inheritance on inheritance.inhparent = tree.oid
    join pg_class as part on part.oid = inheritance.inhrelid
    where tree.relkind = 'p'
)
select
    namespace.nspname::text as schema,
    class.relname::text as name,
    case
        when tree.relkind in ('r', 'm') and current_setting('server_version_num')::integer >= 140000
            then pg_relation_size(tree.oid) / current_setting('block_size')::bigint
    end as pages,
    has_table_privilege(tree.oid, 'select') and not tree.is_guarded as may_be_read_alone
from tree
join pg_class as class on class.oid = tree.oid
join pg_namespace as namespace on namespace.oid = class.relnamespace
where tree.relkind <> 'p'
order by pages desc nulls last

-- name: sizes
select coalesce(
    (
        with recursive tree as (
            select class.oid
            from pg_class as class
            join pg_namespace as namespace on namespace.oid = class.relnamespace
            where namespace.nspname = wanted.schema
                and class.relname = wanted.name
            union all
            select inheritance.inhrelid
            from tree
            join pg_inherits as inheritance on inheritance.inhparent = tree.oid
        )
        select sum(pg_table_size(tree.oid))
        from tree
    ),
    0
)::bigint
from unnest($1, $2) with ordinality as wanted (schema, name, place)
order by wanted.place
