select id from {{ ref('order_items') }} union all select id from {{ ref('stg_payments') }}
