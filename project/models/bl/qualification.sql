with candidate as (
    select
        {{ target_id('qvp', 'qualification.id') }} as id,
        person.id as person_id,
        organization.id as organization_id,
        coalesce({{ clean_text('qualification.title') }}, 'Untitled') as title,
        {{ clean_text('qualification.field_of_study') }} as field_of_study,
        coalesce(level.target_label, 'other')::unipacc.qualification_level as level,
        array_remove(array_remove(qualification.subjects, null), '') as subjects,
        {{ date_within('qualification.started_on', '1940-01-01', '2030-12-31') }} as started_on,
        {{ date_within('qualification.awarded_on', '1940-01-01', '2030-12-31') }} as awarded_on,
        -- Some institutions grade out of ten.
        case
            when qualification.grade_point_average between 0 and 5 then qualification.grade_point_average
            when qualification.grade_point_average <= 10 then qualification.grade_point_average / 2
        end as grade_point_average,
        qualification.created_at
    from {{ source('qvp', 'qualifications') }} as qualification
    join {{ ref('person_map') }} as map
        on map.source_system = 'qvp'
        and map.source_key = qualification.applicant_id
    join {{ ref('person') }} as person on person.id = map.person_id
    left join {{ ref('organization') }} as organization
        on organization.id = {{ target_id('qvp', 'qualification.institution_id') }}
    left join {{ ref('qvp_labels') }} as level
        on level.list = 'qualification_level'
        and level.label = {{ clean_code('qualification.level') }}
)

select
    candidate.id,
    candidate.person_id,
    candidate.organization_id,
    candidate.title,
    candidate.field_of_study,
    candidate.level,
    candidate.subjects,
    -- An award before the start is believed, the start is not.
    case when candidate.started_on > candidate.awarded_on then null else candidate.started_on end as started_on,
    candidate.awarded_on,
    candidate.grade_point_average,
    candidate.created_at
from candidate
