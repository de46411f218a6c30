-- Every applicant and every labourer is a person.
with record as (
    select
        'qvp' as source_system,
        applicant.id as source_key
    from {{ source('qvp', 'applicants') }} as applicant
    union all
    select
        'svp',
        labor.id
    from {{ source('svp', 'labors') }} as labor
)

select
    record.source_system,
    record.source_key
from record
left join {{ ref('person_map') }} as map
    on map.source_system = record.source_system
    and map.source_key = record.source_key
left join {{ ref('person') }} as person on person.id = map.person_id
where person.id is null
