-- name: facts
select
    current_setting('server_version') as version,
    current_user::text as role,
    current_setting('transaction_read_only') = 'on' as read_only,
    pg_is_in_recovery() as is_replica,
    has_database_privilege(current_database(), 'CREATE') as may_create_schemas

-- name: unreadable_tables
select format('%I.%I', namespace.nspname, class.relname)
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname || '.' || class.relname = any($1)
    and not (
        has_schema_privilege(namespace.oid, 'USAGE')
        and has_table_privilege(class.oid, 'SELECT')
    )
order by 1

-- name: unwritable_tables
select format('%I.%I', namespace.nspname, class.relname)
from pg_class as class
join pg_namespace as namespace on namespace.oid = class.relnamespace
where namespace.nspname || '.' || class.relname = any($1)
    and not (
        has_schema_privilege(namespace.oid, 'USAGE')
        and has_table_privilege(class.oid, 'SELECT')
        and has_table_privilege(class.oid, 'INSERT')
        and has_table_privilege(class.oid, 'UPDATE')
    )
order by 1
