-- Sessions without a place, an occupation or a start cannot be held and stay behind.
select
    {{ target_id('svp', 'session.id') }} as id,
    organization.id as organization_id,
    occupation.id as occupation_id,
    coalesce(status.target_label, 'planned')::unipacc.session_status as status,
    {{ at_utc('session.starts_at') }} as starts_at,
    case when session.ends_at > session.starts_at then {{ at_utc('session.ends_at') }} end as ends_at,
    case when session.capacity > 0 then session.capacity else greatest(test_center.capacity, 1) end as capacity
from {{ source('svp', 'exam_sessions') }} as session
join {{ source('svp', 'test_centers') }} as test_center on test_center.id = session.test_center_id
join {{ ref('organization') }} as organization on organization.id = {{ target_id('svp', 'test_center.id') }}
join {{ ref('occupation') }} as occupation on occupation.id = {{ target_id('svp', 'session.occupation_id') }}
left join {{ ref('svp_codes') }} as status
    on status.enumeration = 'session_status'
    and status.code = session.status
where session.starts_at is not null
