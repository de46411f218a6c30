select
    certificate.id,
    certificate.expires_on
from {{ ref('certificate') }} as certificate
where certificate.status = 'active'
    and certificate.expires_on < date '{{ var('cutover_on') }}'
