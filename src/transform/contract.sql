-- name: names_of_types
select format_type(selected.type_oid, null)
from unnest($1) with ordinality as selected (type_oid, place)
order by selected.place

-- name: name_of_type
select format_type(to_regtype($1)::oid, null)

-- name: mark_constraints
select format(
    'comment on constraint %I on %s is %L',
    reference.conname,
    reference.conrelid::regclass,
    $2
)
from pg_constraint as reference
where reference.conrelid = to_regclass($1)
    and reference.contype in ('c', 'f', 'p', 'u', 'x')
order by reference.conname

-- name: seal
comment on type {{ relation }} is {{ seal }}
