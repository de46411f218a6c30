-- A national id names one person, whichever system knew it.
select
    document.number,
    count(*) as persons
from {{ ref('identity_document') }} as document
where document.kind = 'national_id'
group by document.number
having count(*) > 1
