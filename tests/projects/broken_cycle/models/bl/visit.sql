select id from {{ ref('report') }}
