-- name: create_built
create temporary table unimig_built (
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}
) on commit drop

-- name: fill_before
insert into pg_temp.unimig_built (
{{ names | lines }}
)
select
{{ names | lines("model") }}
from (

-- name: fill_after
) as model

-- name: definition
{% for column in columns %}
    {{ column.name }} {{ column.data_type }}{% for clause in column.clauses %} {{ clause }}{% endfor %}{% if not loop.last or constraints %},{% endif %}

{% endfor %}
{% for constraint in constraints %}
    {{ constraint }}{% if not loop.last %},{% endif %}

{% endfor %}

-- name: create_table
create {% if unlogged %}unlogged {% endif %}table {{ table }} (
{{ definition }}
)

-- name: insert
insert into {{ table }} (
{{ names | lines }}
)
select
{{ names | lines("built") }}
from pg_temp.unimig_built as built

-- name: named
{% if name %}constraint {{ name }} {% endif %}{{ clause }}

-- name: check
check ({{ expression }})

-- name: not_null
not null{% if expression %} {{ expression }}{% endif %}

-- name: unique
unique{% if expression %} {{ expression }}{% endif %}{% if columns %} ({{ columns | inline }}){% endif %}

-- name: primary_key
primary key{% if expression %} {{ expression }}{% endif %}{% if columns %} ({{ columns | inline }}){% endif %}

-- name: foreign_key
{% if columns %}foreign key ({{ columns | inline }}) {% endif %}references {% if to %}{{ to }} ({{ to_columns | inline }}){% else %}{{ expression }}{% endif %}

-- name: custom
{{ expression }}
