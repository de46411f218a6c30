-- One row a human being. Where several records are one person, QVP's is believed first, then the older one; gaps are
-- filled from the next record.
{{ config(materialized='merge', unique_key='id', deletes='keep') }}
with record as (
    select
        map.person_id,
        1 as preference,
        applicant.id as source_key,
        initcap({{ clean_text('applicant.name_latin') }}) as full_name,
        {{ clean_text('applicant.name_arabic') }} as full_name_ar,
        {{ date_within('applicant.birth_date', '1900-01-01', '2015-12-31') }} as birth_date,
        case upper(applicant.gender) when 'F' then 'female' when 'M' then 'male' end as gender,
        country.id as nationality_id,
        null::bigint as occupation_id,
        {{ clean_email('applicant.email') }} as email,
        {{ clean_phone('applicant.phone') }} as phone,
        null::text as languages,
        {{ clean_text('applicant.notes') }} as notes,
        applicant.created_at,
        applicant.deleted_at
    from {{ source('qvp', 'applicants') }} as applicant
    join {{ ref('person_map') }} as map
        on map.source_system = 'qvp'
        and map.source_key = applicant.id
    left join {{ ref('country') }} as country on country.iso2 = applicant.nationality_code
    union all
    select
        map.person_id,
        2 as preference,
        labor.id as source_key,
        initcap({{ clean_text('labor.full_name') }}) as full_name,
        {{ clean_text('labor.full_name_ar') }} as full_name_ar,
        {{ date_within('labor.date_of_birth', '1900-01-01', '2015-12-31') }} as birth_date,
        gender.target_label as gender,
        country.id as nationality_id,
        occupation.id as occupation_id,
        {{ clean_email('labor.email') }} as email,
        {{ clean_phone('labor.mobile') }} as phone,
        nullif(array_remove(labor.languages, ''), '{}')::text as languages,
        {{ clean_text('labor.remarks') }} as notes,
        {{ at_utc('labor.created_at') }} as created_at,
        {{ at_utc('labor.deleted_at') }} as deleted_at
    from {{ source('svp', 'labors') }} as labor
    join {{ ref('person_map') }} as map
        on map.source_system = 'svp'
        and map.source_key = labor.id
    left join {{ ref('svp_codes') }} as gender
        on gender.enumeration = 'gender'
        and gender.code = labor.gender
    left join {{ ref('country_codes') }} as spelling
        on upper(btrim(labor.nationality)) in (spelling.iso3, spelling.alias)
    left join {{ ref('country') }} as country on country.id = spelling.id
    left join {{ ref('occupation') }} as occupation on occupation.id = {{ target_id('svp', 'labor.occupation_id') }}
)

select
    record.person_id as id,
    coalesce({{ first_known('record.full_name') }}, 'Unknown') as full_name,
    {{ first_known('record.full_name_ar') }} as full_name_ar,
    {{ first_known('record.birth_date') }} as birth_date,
    coalesce({{ first_known('record.gender') }}, 'unspecified')::unipacc.gender as gender,
    {{ first_known('record.nationality_id') }} as nationality_id,
    {{ first_known('record.occupation_id') }} as occupation_id,
    {{ first_known('record.email') }} as email,
    {{ first_known('record.phone') }} as phone,
    coalesce({{ first_known('record.languages') }}, '{}')::text[] as languages,
    string_agg(record.notes, E'\n' order by record.preference, record.source_key) as notes,
    min(record.created_at) as created_at,
    -- Gone only when every record of the person is gone.
    case when bool_and(record.deleted_at is not null) then max(record.deleted_at) end as deleted_at
from record
group by record.person_id
