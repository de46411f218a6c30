-- Nobody is above their own parent.
with recursive ancestor as (
    select
        organization.id,
        organization.parent_id,
        1 as depth
    from {{ ref('organization') }} as organization
    where organization.parent_id is not null
    union all
    select
        ancestor.id,
        parent.parent_id,
        ancestor.depth + 1
    from ancestor
    join {{ ref('organization') }} as parent on parent.id = ancestor.parent_id
    where parent.parent_id is not null
        and ancestor.depth < 10
)

select
    ancestor.id,
    ancestor.parent_id
from ancestor
where ancestor.parent_id = ancestor.id
    or ancestor.depth >= 10
