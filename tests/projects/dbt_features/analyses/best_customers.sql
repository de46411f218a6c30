select * from {{ ref('customers') }} order by lifetime_value desc limit 3
