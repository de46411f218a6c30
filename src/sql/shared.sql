-- name: primary_key
coalesce(
        (
            select array_agg(key_column.attname::text order by member.place)
            from pg_index as index
            cross join unnest(index.indkey::smallint[]) with ordinality as member (attnum, place)
            join pg_attribute as key_column on key_column.attrelid = index.indrelid
                and key_column.attnum = member.attnum
            where index.indrelid = class.oid
                and index.indisprimary
                and member.place <= index.indnkeyatts
        ),
        '{}'
    )

-- name: is_of_an_extension
exists (
        select
        from pg_depend as membership
        where membership.classid = 'pg_class'::regclass
            and membership.objid = class.oid
            and membership.deptype = 'e'
    )
