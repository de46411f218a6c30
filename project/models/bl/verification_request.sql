select
    {{ target_id('qvp', 'request.id') }} as id,
    request.public_id,
    request.reference_number as reference,
    person.id as person_id,
    qualification.id as qualification_id,
    coalesce(status.target_status, 'draft')::unipacc.request_status as status,
    case when request.priority between 1 and 5 then request.priority else 3 end as priority,
    case
        when request.metadata is null then '{}'
        when jsonb_typeof(request.metadata) = 'object' then request.metadata
        else jsonb_build_object('legacy', request.metadata)
    end as metadata,
    {{ clean_text('request.remarks') }} as remarks,
    request.submitted_at,
    case when request.closed_at >= coalesce(request.submitted_at, request.closed_at) then request.closed_at end as closed_at,
    request.created_at
from {{ source('qvp', 'verification_requests') }} as request
join {{ ref('person_map') }} as map
    on map.source_system = 'qvp'
    and map.source_key = request.applicant_id
join {{ ref('person') }} as person on person.id = map.person_id
left join {{ ref('qualification') }} as qualification
    on qualification.id = {{ target_id('qvp', 'request.qualification_id') }}
left join {{ ref('qvp_request_statuses') }} as status on status.status = request.status
