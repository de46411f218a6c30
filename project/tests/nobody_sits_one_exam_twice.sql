-- A double click at SVP is one registration here.
select
    registration.person_id,
    registration.exam_session_id,
    count(*) as registrations
from {{ ref('exam_registration') }} as registration
group by
    registration.person_id,
    registration.exam_session_id
having count(*) > 1
