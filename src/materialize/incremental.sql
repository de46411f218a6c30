-- name: changing_keys
select
    array[{{ keys_of_source | inline_text }}] as key_values,
    count(*) as occurrences
from pg_temp.unimig_built as dbt_internal_source
where exists (
    select
    from {{ table }} as dbt_internal_dest
    where {{ matching }}
)
group by
    {{ keys_of_source | inline }}
having count(*) > 1
order by
    occurrences desc,
    key_values
limit 11

-- name: count_new
select count(*)
from pg_temp.unimig_built as dbt_internal_source
where not exists (
    select
    from {{ table }} as dbt_internal_dest
    where {{ matching }}
)

-- name: merge
merge into {{ table }} as dbt_internal_dest
using pg_temp.unimig_built as dbt_internal_source
    on {{ matching }}
{% if updates %}
when matched
    and row({{ updates | map(attribute="name") | inline("dbt_internal_dest") }})::record
        *<> row({% for column in updates %}dbt_internal_source.{{ column.name }}::{{ column.data_type }}{% if not loop.last %}, {% endif %}{% endfor %})::record
then update set
{{ updates | map(attribute="name") | setting("dbt_internal_source") }}
{% endif %}
when not matched then insert (
{{ columns | lines }}
)
values (
{{ columns | lines("dbt_internal_source") }}
)

-- name: look_for_keys
select {{ keys | inline }}
from pg_temp.unimig_built as dbt_internal_source

-- name: note_same
create temporary table unimig_same on commit drop as
select
    held.place as held_place,
    built.place as built_place
from (
    select
        dbt_internal_dest.ctid as place,
        row({{ columns | inline("dbt_internal_dest") }})::text as image,
        row_number() over (
            partition by row({{ columns | inline("dbt_internal_dest") }})::text
        ) as occurrence
    from {{ table }} as dbt_internal_dest
    where {{ replaced }}
) as held
join (
    select
        source.ctid as place,
        row({{ columns | inline("source") }})::text as image,
        row_number() over (partition by row({{ columns | inline("source") }})::text) as occurrence
    from pg_temp.unimig_built as source
) as built on built.image = held.image
    and built.occurrence = held.occurrence

-- name: delete_matching
delete from {{ table }} as dbt_internal_dest
where {{ replaced }}
{% if compares %}
    and not exists (
        select
        from pg_temp.unimig_same as same
        where same.held_place = dbt_internal_dest.ctid
    )
{% endif %}

-- name: insert
insert into {{ table }} (
{{ columns | lines }}
)
select
{{ columns | lines("source") }}
from pg_temp.unimig_built as source
{% if compares %}
where not exists (
    select
    from pg_temp.unimig_same as same
    where same.built_place = source.ctid
)
{% endif %}

-- name: matching
{% if keys_of_source %}
{{ keys | matching("dbt_internal_source", "dbt_internal_dest") }}{% for predicate in predicates %}

        and ({{ predicate }}){% endfor %}

{% else %}
false
{% endif %}

-- name: replaced
({{ keys | inline }}) in (
        select
            {{ keys | inline }}
        from pg_temp.unimig_built as dbt_internal_source
    ){% for predicate in predicates %}

        and ({{ predicate }}){% endfor %}


-- name: add_column
alter table {{ table }}
    add column {{ name }} {{ data_type }}

-- name: drop_column
alter table {{ table }}
    drop column {{ name }}

-- name: change_type
alter table {{ table }}
    alter column {{ name }} type {{ data_type }} using {{ name }}::{{ data_type }}
