select id from {{ ref('stg_contacts') }} union all select id from {{ ref('stg_customers') }}
