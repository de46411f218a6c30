-- name: hash
coalesce(hashtextextended({{ alias }}.{{ name }}::text, 0), 0)

-- name: set_foreign_aside
delete from pg_temp.unimig_change as change
where not change._unimig_is_new
    and not exists (
        select
        from {{ written }} as written
        where {{ keys | matching("written", "change") }}
    )

-- name: adopt
insert into {{ written }} (
{{ keys | lines }}
)
select
{{ keys | lines("staged") }}
from pg_temp.unimig_staged as staged
where not exists (
        select
        from {{ written }} as written
        where {{ keys | matching("written", "staged") }}
    )
    and not exists (
        select
        from pg_temp.unimig_change as change
        where change._unimig_is_new
            and {{ keys | matching("change", "staged") }}
    )
on conflict do nothing

-- name: find_edits
create temporary table unimig_edit on commit drop as
select
    change.ctid as place,
{{ keys | lines("change") }},
    jsonb_build_object(
{% for key in key_texts %}
        {{ key.text }}, change.{{ key.name }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ) as _unimig_row_key,
    edit._unimig_column
from pg_temp.unimig_change as change
join {{ written }} as written on {{ keys | matching("written", "change") }}
left join {{ target }} as target on not change._unimig_is_new
    and {{ keys | matching("target", "change") }}
cross join lateral (
    values
        (null, change._unimig_is_new and written._deleted_at is null){% for column in columns %},
        (
            {{ column.text }},
            not change._unimig_is_new
                and {{ column.target_hash }} <> written._hashes[{{ column.number }}]
                and row(target.{{ column.name }})::record *<> row(change.{{ column.name }})::record
        ){% endfor %}

) as edit (_unimig_column, is_edit)
where edit.is_edit

-- name: counts
select
    _unimig_column as column_name,
    count(*) as edits,
    (array_agg(_unimig_row_key::text order by _unimig_row_key))[1:5] as some_keys,
    (select count(distinct _unimig_row_key) from pg_temp.unimig_edit) as all_rows
from pg_temp.unimig_edit
group by _unimig_column
order by _unimig_column nulls first

-- name: remember
insert into unimig.conflict (
    node,
    row_key,
    column_name,
    resolution
)
select distinct
    {{ node }},
    _unimig_row_key,
    coalesce(_unimig_column, ''),
    {{ resolution }}
from pg_temp.unimig_edit
on conflict (node, md5(row_key::text), column_name) do update set
    resolution = excluded.resolution,
    last_seen_at = now()

-- name: forget
delete from unimig.conflict
where node = {{ node }}
    and resolution = 'theirs'
    and last_seen_at < now()

-- name: keep_theirs
create temporary table unimig_kept on commit drop as
select
    place,
{{ keys | lines }},
    array_agg(_unimig_column) as _unimig_columns
from pg_temp.unimig_edit
where _unimig_column is not null
group by
    place,
{{ keys | lines }};
delete from pg_temp.unimig_change as change
using pg_temp.unimig_edit as edit
where change.ctid = edit.place
    and edit._unimig_column is null;
{% if columns %}
update pg_temp.unimig_change as change set
{% for column in columns %}
    {{ column.name }} = case
        when {{ column.text }} = any(kept._unimig_columns) then target.{{ column.name }}
        else change.{{ column.name }}
    end{% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_kept as kept
join {{ target }} as target on {{ keys | matching("target", "kept") }}
where change.ctid = kept.place;
delete from pg_temp.unimig_change as change
using {{ target }} as target
where not change._unimig_is_new
    and {{ keys | matching("target", "change") }}
    and not row({{ columns | map(attribute="name") | inline("target") }})::record
        *<> row({{ columns | map(attribute="name") | inline("change") }})::record
{% endif %}

-- name: note_updated
update {{ written }} as written set
    _hashes = array[
{% for column in columns %}
{% if keeps %}
        case
            when {{ column.text }} = any(kept._unimig_columns) then written._hashes[{{ column.number }}]
            else {{ column.hash }}
        end{% else %}
        {{ column.hash }}{% endif %}{% if not loop.last %},{% endif %}

{% endfor %}
    ]::bigint[]
from pg_temp.unimig_change as change
{% if reads_back %}
join {{ target }} as target on {{ keys | matching("target", "change") }}
{% endif %}
{% if keeps %}
left join pg_temp.unimig_kept as kept on {{ keys | matching("kept", "change") }}
{% endif %}
where not change._unimig_is_new
    and {{ keys | matching("written", "change") }}

-- name: note_inserted
insert into {{ written }} (
{{ keys | lines }},
    _hashes
)
select
{{ keys | lines("change") }},
    array[
{% for column in columns %}
        {{ column.hash }}{% if not loop.last %},{% endif %}

{% endfor %}
    ]::bigint[]
from pg_temp.unimig_change as change
{% if reads_back %}
join {{ target }} as target on {{ keys | matching("target", "change") }}
{% endif %}
where change._unimig_is_new
on conflict ({{ keys | inline }}) do update set
    _inserted_at = excluded._inserted_at,
    _deleted_at = null,
    _hashes = excluded._hashes

-- name: reorder
update {{ written }} set
    _hashes = array[
{% for place in places %}
        {% if place %}_hashes[{{ place }}]{% else %}null{% endif %}{% if not loop.last %},{% endif %}

{% endfor %}
    ]::bigint[]
where _hashes is not null
