-- Which person of UniPACC each record of the sources is. Records with the same national id are one person, who keeps the
-- key of the oldest QVP record, or of the oldest SVP record where QVP has none.
{{ config(materialized='table', schema='mapping') }}
with record as (
    select
        'qvp' as source_system,
        applicant.id as source_key,
        {{ target_id('qvp', 'applicant.id') }} as own_id,
        {{ clean_national_id('applicant.national_id') }} as national_id
    from {{ source('qvp', 'applicants') }} as applicant
    union all
    select
        'svp',
        labor.id,
        {{ target_id('svp', 'labor.id') }},
        {{ clean_national_id('labor.national_id') }}
    from {{ source('svp', 'labors') }} as labor
),

matched as (
    select
        record.source_system,
        record.source_key,
        record.own_id,
        record.national_id,
        case
            when record.national_id is null then record.own_id
            else first_value(record.own_id) over (
                partition by record.national_id
                order by
                    record.source_system,
                    record.source_key
            )
        end as person_id
    from record
)

select
    matched.source_system,
    matched.source_key,
    matched.person_id,
    matched.national_id,
    case when matched.person_id = matched.own_id then 'own key' else 'national id' end as matched_by
from matched
