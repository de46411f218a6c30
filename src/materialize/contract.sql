-- name: declared
select
{% for column in columns %}
    null::{{ column.data_type }} as {{ column.name }}{% if not loop.last %},{% endif %}

{% endfor %}

-- name: apply_types
alter table pg_temp.unimig_built
{% for column in columns %}
    alter column {{ column.name }} type {{ column.data_type }}{% if not loop.last %},{% endif %}

{% endfor %}

-- name: not_null
alter table pg_temp.unimig_built alter column {{ name }} set not null

-- name: unique
alter table pg_temp.unimig_built add unique ({{ name }})

-- name: primary_key
alter table pg_temp.unimig_built add primary key ({{ name }})

-- name: check
alter table pg_temp.unimig_built add check ({{ expression }})
