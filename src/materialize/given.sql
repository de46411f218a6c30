-- name: create_faults
create temporary table unimig_fault (
    place tid,
    row_key jsonb not null,
    column_name text not null,
    rule text not null,
    constraint_name text,
    sqlstate text not null,
    raw_value text
) on commit drop

-- name: cast_staged
create temporary view unimig_staged as
select
{% for column in columns %}
    given.{{ column.name }}{% if column.is_loose %}::{{ column.data_type }} as {{ column.name }}{% endif %}{% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_given as given

-- name: try_all
select
{% for column in taken %}
    count(given.{{ column.name }}::{{ column.data_type }}){% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_given as given

-- name: create_functions
{% for column in taken %}
create or replace function pg_temp.unimig_refused_{{ column.number }}(given {{ column.held_as }}) returns text
language plpgsql as $refused$
declare
    taken {{ column.data_type }};
begin
    taken := given;
    return null;
exception
    when data_exception or integrity_constraint_violation then
        return sqlstate;
end
$refused$;
{% endfor %}

-- name: drop_functions
{% for column in taken %}
drop function pg_temp.unimig_refused_{{ column.number }}({{ column.held_as }});
{% endfor %}

-- name: length
char_length(given.{{ name }}::text) > {{ length }}
                and rtrim(substr(given.{{ name }}::text, {{ length }} + 1), ' ') <> ''

-- name: range
round(given.{{ name }}::numeric) not between {{ least }} and {{ greatest }}

-- name: precision
given.{{ name }}::numeric <> 'NaN'
                and abs(round(given.{{ name }}::numeric, {{ scale }})) >= {{ limit }}::numeric

-- name: label
given.{{ name }}::text <> all (array[{{ labels | inline }}])

-- name: taken
pg_temp.unimig_refused_{{ number }}(given.{{ name }}) is not null

-- name: value_faults
insert into pg_temp.unimig_fault (
    place,
    row_key,
    column_name,
    rule,
    sqlstate,
    raw_value
)
select
    given.ctid,
    jsonb_build_object(
{% for key in keys %}
        {{ key.text }}, given.{{ key.name }}::text{% if not loop.last %},{% endif %}

{% endfor %}
    ),
    fault.column_name,
    case fault.sqlstate
        when '22001' then 'length'
        when '22003' then 'range'
        when '22008' then 'range'
        when '23502' then 'not_null'
        when '23514' then 'check'
        when 'label' then 'label'
        else 'type'
    end,
    case fault.sqlstate when 'label' then '22P02' else fault.sqlstate end,
    fault.raw_value
from pg_temp.unimig_given as given
cross join lateral (
    values
{% for test in tests %}
        (
            {{ test.text }},
            {{ test.sqlstate }},
            given.{{ test.name }}::text,
            {{ test.condition }}
        ){% if not loop.last %},{% endif %}

{% endfor %}
) as fault (column_name, sqlstate, raw_value, is_bad)
where fault.is_bad

-- name: remember_keys
create temporary table unimig_bad_key on commit drop as
select
{% for key in keys %}
    given.{{ key.name }}::{{ key.data_type }} as {{ key.name }}{% if not loop.last %},{% endif %}

{% endfor %}
from pg_temp.unimig_given as given
where exists (
        select
        from pg_temp.unimig_fault as fault
        where fault.place = given.ctid
    )
    and not exists (
        select
        from pg_temp.unimig_fault as fault
        where fault.place = given.ctid
            and fault.column_name in ({% for key in keys %}{{ key.text }}{% if not loop.last %}, {% endif %}{% endfor %})
    )

-- name: take_out
delete from pg_temp.unimig_given as given
using (select distinct place from pg_temp.unimig_fault) as fault
where given.ctid = fault.place

-- name: forget_places
update pg_temp.unimig_fault set
    place = null
