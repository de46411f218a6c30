-- name: merge_columns
select
{% for column in updates %}
    count(*) filter (where row(target.{{ column }})::record *<> row(staged.{{ column }})::record){% if not loop.last %},{% endif %}

{% endfor %}
from {{ target }} as target
join pg_temp.unimig_change as staged on not staged._unimig_is_new
    and {{ keys | matching("target", "staged") }}

-- name: merge_inserts
select
    array[{{ inserts | inline_text }}] as new_values
from pg_temp.unimig_change as staged
where staged._unimig_is_new
order by {{ keys | inline("staged") }}
limit {{ samples }}

-- name: merge_updates
select
    array[
{% for column in inserts %}
        target.{{ column }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ] as old_values,
    array[
{% for column in inserts %}
        staged.{{ column }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ] as new_values,
    array[
{% for column in inserts %}
        row(target.{{ column }})::record *<> row(staged.{{ column }})::record{% if not loop.last %},{% endif %}

{% endfor %}
    ] as differs
from {{ target }} as target
join pg_temp.unimig_change as staged on {{ keys | matching("target", "staged") }}
where not staged._unimig_is_new
order by {{ keys | inline("staged") }}
limit {{ samples }}

-- name: merge_deletes
select
    array[
{% for key in keys %}
        target.{{ key }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ] as key_values
from {{ target }} as target
join {{ written }} as written on {{ keys | matching("target", "written") }}
where not exists (
        select
        from pg_temp.unimig_staged as staged
        where {{ keys | matching("staged", "written") }}
    )
{% if deleted_column %}
    and target.{{ deleted_column }} is null
{% endif %}
order by {{ keys | inline("target") }}
limit {{ samples }}

-- name: rows_added
select built::text as row_text
from pg_temp.unimig_built as built
except all
select kept::text
from {{ table }} as kept

-- name: rows_gone
select kept::text as row_text
from {{ table }} as kept
except all
select built::text
from pg_temp.unimig_built as built

-- name: count
select count(*) from (
{{ rows }}
) as rows

-- name: sample
{{ rows }}
order by 1
limit {{ samples }}

-- name: count_built
select count(*) from pg_temp.unimig_built

-- name: count_kept
select count(*) from {{ table }}

-- name: all_built
select built::text as row_text
from pg_temp.unimig_built as built

-- name: replace_gently
delete from {{ table }};
insert into {{ table }}
table pg_temp.unimig_built

-- name: is_there
select to_regclass($1) is not null
