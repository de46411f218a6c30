-- name: role
select
    current_user::text as role,
    pg_is_in_recovery() as is_replica,
    coalesce((select rolsuper from pg_roles where rolname = current_user), false) as is_superuser,
    exists (
        select
        from pg_roles
        where rolname = 'pg_write_all_data'
            and pg_has_role(current_user, oid, 'usage')
    ) as writes_all_data

-- name: grants
select
    granted.privileges || ' on ' || string_agg(granted.subject, ', ' order by granted.subject) as granted
from (
    select
        concat_ws(
            ', ',
            case when has_table_privilege(class.oid, 'INSERT') or has_any_column_privilege(class.oid, 'INSERT') then 'insert' end,
            case when has_table_privilege(class.oid, 'UPDATE') or has_any_column_privilege(class.oid, 'UPDATE') then 'update' end,
            case when has_table_privilege(class.oid, 'DELETE') then 'delete' end,
            case when has_table_privilege(class.oid, 'TRUNCATE') then 'truncate' end
        ) as privileges,
        format('%I.%I', namespace.nspname, class.relname) as subject
    from unnest($1::text[], $2::text[]) as wanted (schema, name)
    join pg_namespace as namespace on namespace.nspname = wanted.schema
    join pg_class as class on class.relnamespace = namespace.oid and class.relname = wanted.name
    union all
    select
        'create' as privileges,
        format('schema %I', namespace.nspname) as subject
    from pg_namespace as namespace
    where namespace.nspname = any($1::text[])
        and has_schema_privilege(namespace.oid, 'CREATE')
) as granted
where granted.privileges <> ''
group by granted.privileges
order by granted.privileges
