-- name: create_table
create table {{ shell }} (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }},
{% endfor %}
    primary key ({{ keys | inline }})
) partition by list ({{ first_key }})

-- name: create_keyless_table
create table {{ shell }} (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}
) partition by list (({{ first_column }} is null))

-- name: create_empty_table
create table {{ shell }} ()

-- name: create_view
create view {{ shell }} as

-- name: insert
insert into {{ shell }} (
{{ columns | lines }}
)

-- name: casts
select
{% for column in columns %}
    given.{{ column.name }}{% if column.data_type %}::{{ column.data_type }}{% endif %}{% if not loop.last %},{% endif %}

{% endfor %}
from (

-- name: match
select
{% if keys %}
{{ keys | lines("dbt_internal_source") }}
{% endif %}
from {{ shell }} as dbt_internal_source
cross join {{ shell }} as dbt_internal_dest
{% for predicate in predicates %}
{% if loop.first %}where {% else %}    and {% endif %}({{ predicate }})
{% endfor %}

-- name: prepare
prepare unimig_look as

-- name: forget
;
deallocate unimig_look
