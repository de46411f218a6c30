-- Each certificate of the sources is either in UniPACC or on the list of what was left out, never both, never neither.
with certificate_at_source as (
    select
        'qvp' as source_system,
        certificate.id as source_key,
        {{ target_id('qvp', 'certificate.id') }} as target_id
    from {{ source('qvp', 'certificates') }} as certificate
    union all
    select
        'svp',
        certificate.id,
        {{ target_id('svp', 'certificate.id') }}
    from {{ source('svp', 'certificates') }} as certificate
)

select
    certificate_at_source.source_system,
    certificate_at_source.source_key
from certificate_at_source
left join {{ ref('certificate') }} as certificate on certificate.id = certificate_at_source.target_id
left join {{ ref('left_out') }} as left_out
    on left_out.source_system = certificate_at_source.source_system
    and left_out.source_table = 'certificates'
    and left_out.source_key = certificate_at_source.source_key
where (certificate.id is null) = (left_out.source_key is null)
