-- name: field
select
    max({{ loaded_at }})::timestamptz as max_loaded_at,
    clock_timestamp() as snapshotted_at
from {{ relation }}
{% if filter is not none %}
where {{ filter }}
{% endif %}

-- name: query
select
    (
{{ query }}
    )::timestamptz as max_loaded_at,
    clock_timestamp() as snapshotted_at

-- name: clock
select clock_timestamp() as snapshotted_at
