-- name: build
create temporary table unimig_built on commit drop as

-- name: create_typed
create temporary table unimig_built (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: copy_csv
copy pg_temp.unimig_built (
{{ names | lines }}
)
from stdin (format csv, header {{ header }}, delimiter {{ delimiter }})

-- name: compare
select
    built.row_count,
    built is not distinct from kept as equal
from (
    select
        count(*) as row_count,
        sum(hashtextextended(built::text, 0)::numeric) as first_digest,
        sum(hashtextextended(built::text, 1)::numeric) as second_digest
    from pg_temp.unimig_built as built
) as built
cross join (
    select
        count(*) as row_count,
        sum(hashtextextended(kept::text, 0)::numeric) as first_digest,
        sum(hashtextextended(kept::text, 1)::numeric) as second_digest
    from {{ table }} as kept
) as kept

-- name: create
create {% if unlogged %}unlogged {% endif %}table {{ table }} as
table pg_temp.unimig_built

-- name: replace_rows
truncate {{ table }};
insert into {{ table }}
table pg_temp.unimig_built

-- name: drop_table
drop table {{ table }}

-- name: mark_table
comment on table {{ table }} is {{ mark }}
