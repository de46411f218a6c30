select id from {{ ref('forecast') }} union all select id from {{ ref('customers') }}
