-- Every number under which a person is known. The id is the identity column's; the application confirms documents later.
{{ config(materialized='merge', unique_key=['person_id', 'kind', 'number'], deletes='hard') }}
with record as (
    select
        map.person_id,
        {{ clean_national_id('applicant.national_id') }} as national_id,
        {{ clean_passport('applicant.passport_number') }} as passport
    from {{ source('qvp', 'applicants') }} as applicant
    join {{ ref('person_map') }} as map
        on map.source_system = 'qvp'
        and map.source_key = applicant.id
    union all
    select
        map.person_id,
        {{ clean_national_id('labor.national_id') }} as national_id,
        {{ clean_passport('labor.passport_no') }} as passport
    from {{ source('svp', 'labors') }} as labor
    join {{ ref('person_map') }} as map
        on map.source_system = 'svp'
        and map.source_key = labor.id
)
{% for kind in ['national_id', 'passport'] %}
select
    person.id as person_id,
    '{{ kind }}'::unipacc.document_kind as kind,
    record.{{ kind }} as number
from record
join {{ ref('person') }} as person on person.id = record.person_id
where record.{{ kind }} is not null
group by
    person.id,
    record.{{ kind }}
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
