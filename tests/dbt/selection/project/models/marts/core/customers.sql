select id from {{ ref('contact_points') }} union all select id from {{ ref('orders') }}
