-- name: carried
select
    coalesce(
        (
            select array_agg(index_class.relname::text)
            from pg_index as index
            join pg_class as index_class on index_class.oid = index.indexrelid
            where index.indrelid = class.oid
                and obj_description(index_class.oid, 'pg_class') like 'made by unimig: %'
        ),
        '{}'
    ) as indexes,
    class.relpersistence = 'u' as unlogged,
    coalesce(obj_description(class.oid, 'pg_class'), '') as comment,
    (
        select coalesce(array_agg(attribute.attname::text order by attribute.attnum), '{}')
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as column_names,
    (
        select coalesce(
            array_agg(coalesce(col_description(class.oid, attribute.attnum), '') order by attribute.attnum),
            '{}'
        )
        from pg_attribute as attribute
        where attribute.attrelid = class.oid
            and attribute.attnum > 0
            and not attribute.attisdropped
    ) as column_comments
from pg_class as class
where class.oid = to_regclass($1)

-- name: grants
select
    lower(granted.privilege_type) as privilege,
    coalesce(role.rolname::text, 'public') as role
from pg_class as class
cross join aclexplode(class.relacl) as granted
left join pg_roles as role on role.oid = granted.grantee
where class.oid = to_regclass($1)
    and granted.grantee <> class.relowner
    and granted.grantor = (select own.oid from pg_roles as own where own.rolname = current_user)

-- name: roles
select role.rolname::text
from pg_roles as role

-- name: references
select
    reference.name,
    reference.referring,
    format(
        'alter table if exists %s drop constraint if exists %I',
        reference.referring,
        reference.name
    ) as drop_reference,
    format(
        'alter table %s add constraint %I %s',
        reference.referring,
        reference.name,
        reference.definition
    ) as create_reference,
    format(
        'comment on constraint %I on %s is %L',
        reference.name,
        reference.referring,
        reference.comment
    ) as mark_reference,
    format('comment on type %s is null', reference.referring) as unseal
from (
    select
        reference.conname::text as name,
        format('%I.%I', namespace.nspname, class.relname) as referring,
        -- The transaction still sees a table that another one has dropped meanwhile; to_regclass does not.
        case
            when to_regclass(format('%I.%I', namespace.nspname, class.relname)) = class.oid
                then pg_get_constraintdef(reference.oid)
        end as definition,
        obj_description(reference.oid, 'pg_constraint') as comment
    from pg_constraint as reference
    join pg_class as class on class.oid = reference.conrelid
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    where reference.confrelid = to_regclass($1)
        and reference.conrelid <> reference.confrelid
        and reference.contype = 'f'
) as reference
where reference.comment like 'made by unimig: %'
    and reference.definition is not null
order by reference.referring

-- name: lock_referred
lock table {{ relation }} in access exclusive mode
