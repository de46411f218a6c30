-- name: select_before
select
    source.*,
    {{ scd_id }} as {{ names.scd_id }},
    {{ updated_at }} as {{ names.updated_at }},
    {{ updated_at }} as {{ names.valid_from }},
    coalesce(nullif({{ updated_at }}, {{ updated_at }}), {{ current }}) as {{ names.valid_to }}
{%- if keeps_deletions %},
    'False' as {{ names.is_deleted }}
{%- endif %}

from (

-- name: select_after
) as source

-- name: build_before
create temporary table unimig_built on commit drop as
select
    source.*,
{% for key in keys %}
    {{ key }} as unimig_key_{{ loop.index }},
{% endfor %}
    {{ scd_id }} as unimig_scd_id,
    {{ updated_at }} as unimig_updated_at,
    coalesce(nullif({{ updated_at }}, {{ updated_at }}), {{ current }}) as unimig_valid_to
from (

-- name: hold
create temporary table unimig_held on commit drop as
select
    held.*,
{% for key in keys %}
    {{ key }} as unimig_key_{{ loop.index }}{% if not loop.last %},{% endif %}

{% endfor %}
from {{ table }} as held
where held.{{ names.valid_to }} is null
{% if stated_current %}
    or held.{{ names.valid_to }} = {{ current }}
{% endif %}

-- name: note_arriving
create temporary table unimig_arriving on commit drop as
select built.*
from pg_temp.unimig_built as built
left join pg_temp.unimig_held as held on {{ matching }}
where held.unimig_key_1 is null
    or {{ changed }}

-- name: note_ending
create temporary table unimig_ending on commit drop as
select
    held.{{ names.scd_id }} as scd_id,
    built.unimig_updated_at as valid_to
from pg_temp.unimig_built as built
join pg_temp.unimig_held as held on {{ matching }}
where {{ changed }}
{% if ends_deleted %}
union all
select
    gone.{{ names.scd_id }},
    now()::timestamp without time zone
from pg_temp.unimig_gone as gone
{% endif %}

-- name: note_gone
create temporary table unimig_gone on commit drop as
select held.*
from pg_temp.unimig_held as held
left join pg_temp.unimig_built as built on {{ matching }}
where built.unimig_key_1 is null
{% if keeps_deletions %}
    and held.{{ names.is_deleted }} is distinct from 'True'
{% endif %}

-- name: watched
select {{ columns | inline }}
from pg_temp.unimig_built

-- name: changed_later
held.{{ names.valid_from }} < built.unimig_updated_at

-- name: changed_always
held.unimig_key_1 is not null

-- name: changed_columns
{% for column in columns %}
held.{{ column }} is distinct from built.{{ column }}
{%- if not loop.last %}

        or {% endif %}
{% endfor %}

-- name: end
update {{ table }} as target set
    {{ names.valid_to }} = ending.valid_to
from pg_temp.unimig_ending as ending
where target.{{ names.scd_id }}::text = ending.scd_id::text
{% if stated_current %}
    and (
        target.{{ names.valid_to }} is null
        or target.{{ names.valid_to }} = {{ current }}
    )
{% else %}
    and target.{{ names.valid_to }} is null
{% endif %}

-- name: begin
insert into {{ table }} (
{{ columns | lines }},
    {{ names.scd_id }},
    {{ names.updated_at }},
    {{ names.valid_from }},
    {{ names.valid_to }}{% if keeps_deletions %},
    {{ names.is_deleted }}{% endif %}

)
select
{{ columns | lines("arriving") }},
    arriving.unimig_scd_id,
    arriving.unimig_updated_at,
    arriving.unimig_updated_at,
    arriving.unimig_valid_to{% if keeps_deletions %},
    'False'{% endif %}

from pg_temp.unimig_arriving as arriving

-- name: begin_deleted
insert into {{ table }} (
{{ columns | lines }},
    {{ names.scd_id }},
    {{ names.updated_at }},
    {{ names.valid_from }},
    {{ names.valid_to }},
    {{ names.is_deleted }}
)
select
{{ columns | lines("gone") }},
    {{ deletion_id }},
    now()::timestamp without time zone,
    now()::timestamp without time zone,
    gone.{{ names.valid_to }},
    'True'
from pg_temp.unimig_gone as gone

-- name: hash
md5({% for part in parts %}coalesce(({{ part }})::character varying, ''){% if not loop.last %} || '|' || {% endif %}{% endfor %})
