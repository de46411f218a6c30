-- name: create_index
create {% if unique %}unique {% endif %}index {{ name }}
on {{ relation }}{% if method %} using {{ method }}{% endif %} (
    {{ columns | inline }}
)

-- name: mark_index
comment on index {{ index }} is {{ mark }}

-- name: drop_index
drop index {{ index }}

-- name: grant
grant {{ privilege }} on {{ relation }} to {{ roles | inline }}

-- name: revoke
revoke {{ privilege }} on {{ relation }} from {{ roles | inline }}

-- name: set_logging
alter table {{ relation }} set {{ logging }}

-- name: describe_relation
comment on {{ kind }} {{ relation }} is {{ comment }}

-- name: describe_column
comment on column {{ relation }}.{{ column }} is {{ comment }}
