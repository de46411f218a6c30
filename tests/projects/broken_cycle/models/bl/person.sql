select id from {{ ref('visit') }}
