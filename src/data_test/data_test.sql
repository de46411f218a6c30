-- name: not_null
select
    {{ column }}
from {{ subject }} as subject
where {{ column }} is null

-- name: unique
select
    {{ column }},
    count(*) as occurrences
from {{ subject }} as subject
where {{ column }} is not null
group by {{ column }}
having count(*) > 1

-- name: accepted_values
select
    {{ column }},
    count(*) as occurrences
from {{ subject }} as subject
where {{ column }} not in ({{ accepted | inline }})
group by {{ column }}

-- name: relationships
select
    child.{{ column }}
from {{ subject }} as child
where child.{{ column }} is not null
    and not exists (
        select
        from {{ parent }} as parent
        where parent.{{ field }} = child.{{ column }}
    )

-- name: filtered
(
    select *
    from {{ relation }}
    where {{ filter }}
)

-- name: count_head
select
    count(*) as failing_rows
from (

-- name: count_tail
) as failing
