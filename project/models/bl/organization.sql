-- Institutions of QVP and test centers of SVP. A faculty or a branch names its parent in the same table.
with candidate as (
    select
        {{ target_id('qvp', 'institution.id') }} as id,
        {{ target_id('qvp', 'institution.parent_id') }} as parent_id,
        coalesce(kind.target_label, 'other') as kind,
        null::text as code,
        institution.name_en,
        {{ clean_text('institution.name_ar') }} as name_ar,
        institution.country_code as iso2,
        null::text as city,
        institution.website,
        null::double precision as latitude,
        null::double precision as longitude,
        institution.created_at
    from {{ source('qvp', 'institutions') }} as institution
    left join {{ ref('qvp_labels') }} as kind
        on kind.list = 'organization_kind'
        and kind.label = {{ clean_code('institution.kind') }}
    union all
    select
        {{ target_id('svp', 'test_center.id') }} as id,
        {{ target_id('svp', 'test_center.parent_id') }} as parent_id,
        'test_center' as kind,
        {{ clean_text('test_center.code') }} as code,
        test_center.name as name_en,
        {{ clean_text('test_center.name_ar') }} as name_ar,
        upper(btrim(test_center.country)) as iso2,
        test_center.city,
        null::text as website,
        case when box(point(-180, -90), point(180, 90)) @> test_center.location then test_center.location[1] end as latitude,
        case when box(point(-180, -90), point(180, 90)) @> test_center.location then test_center.location[0] end as longitude,
        {{ at_utc('test_center.created_at') }} as created_at
    from {{ source('svp', 'test_centers') }} as test_center
    where test_center.deleted_at is null
)

select
    candidate.id,
    parent.id as parent_id,
    candidate.kind::unipacc.organization_kind as kind,
    candidate.code,
    candidate.name_en,
    candidate.name_ar,
    country.id as country_id,
    candidate.city,
    candidate.website,
    candidate.latitude,
    candidate.longitude,
    candidate.created_at
from candidate
left join candidate as parent
    on parent.id = candidate.parent_id
    and parent.id <> candidate.id
left join unipacc.country as country on country.iso2 = candidate.iso2
