-- name: not_null
select *
from {{ subject }} as subject
where {{ column }} is null

-- name: unique
select
    {{ column }} as unique_field,
    count(*) as n_records
from {{ subject }} as subject
where {{ column }} is not null
group by {{ column }}
having count(*) > 1

-- name: accepted_values
select
    {{ column }} as value_field,
    count(*) as n_records
from {{ subject }} as subject
where {{ column }} not in ({{ accepted | inline }})
group by {{ column }}

-- name: relationships
select
    child.{{ column }} as from_field
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

-- name: limited_head
select *
from (

-- name: limited_tail
) as limited
limit {{ limit }}

-- name: kept
select *
from {{ relation }}

-- name: judge_head
select
    coalesce(({{ fail_calc }})::bigint, 0) as failures,
    coalesce(({{ fail_calc }}) {{ warn_if }}, false) as should_warn,
    coalesce(({{ fail_calc }}) {{ error_if }}, false) as should_error
from (

-- name: judge_tail
) as failing
