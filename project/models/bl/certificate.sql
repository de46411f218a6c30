-- Certificates of both systems. A number that SVP gave twice is made unique by its key.
{% set cutover_on = var('cutover_on') %}
with candidate as (
    select
        {{ target_id('qvp', 'certificate.id') }} as id,
        'qvp' as source_system,
        certificate.certificate_number,
        'verification' as kind,
        request.person_id,
        request.id as verification_request_id,
        null::bigint as occupation_id,
        coalesce(status.target_label, 'pending') as status,
        certificate.issued_on,
        certificate.expires_on,
        {{ clean_text('certificate.revoked_reason') }} as revoked_reason,
        certificate.created_at
    from {{ source('qvp', 'certificates') }} as certificate
    join {{ ref('verification_request') }} as request
        on request.id = {{ target_id('qvp', 'certificate.verification_request_id') }}
    left join {{ ref('qvp_labels') }} as status
        on status.list = 'certificate_status'
        and status.label = {{ clean_code('certificate.status') }}
    union all
    select
        {{ target_id('svp', 'certificate.id') }} as id,
        'svp' as source_system,
        case
            when btrim(certificate.certificate_no) = '' or certificate.certificate_no is null
                then 'SVP-ID-' || certificate.id
            when count(*) over (partition by certificate.certificate_no) > 1
                then certificate.certificate_no || '-' || certificate.id
            else certificate.certificate_no
        end as certificate_number,
        case certificate.type when 'RenewalCertificate' then 'renewal' else 'skill' end as kind,
        person.id as person_id,
        null::bigint as verification_request_id,
        occupation.id as occupation_id,
        coalesce(status.target_status, 'pending') as status,
        coalesce(certificate.issued_at, certificate.created_at)::date as issued_on,
        certificate.expires_at::date as expires_on,
        null::text as revoked_reason,
        {{ at_utc('certificate.created_at') }} as created_at
    from {{ source('svp', 'certificates') }} as certificate
    join {{ ref('person_map') }} as map
        on map.source_system = 'svp'
        and map.source_key = certificate.labor_id
    join {{ ref('person') }} as person on person.id = map.person_id
    left join {{ ref('occupation') }} as occupation
        on occupation.id = {{ target_id('svp', 'certificate.occupation_id') }}
    left join {{ ref('svp_certificate_statuses') }} as status on status.code = certificate.status
)

select
    candidate.id,
    candidate.source_system::unipacc.source_system as source_system,
    candidate.certificate_number,
    candidate.kind::unipacc.certificate_kind as kind,
    candidate.person_id,
    candidate.verification_request_id,
    candidate.occupation_id,
    case
        when candidate.status = 'active' and believed.expires_on < date '{{ cutover_on }}' then 'expired'
        else candidate.status
    end::unipacc.certificate_status as status,
    candidate.issued_on,
    believed.expires_on as expires_on,
    candidate.revoked_reason,
    candidate.created_at
from candidate
cross join lateral (
    select
        case
            when candidate.expires_on >= candidate.issued_on
                then {{ date_within('candidate.expires_on', '1990-01-01', '2099-12-31') }}
        end as expires_on
) as believed

