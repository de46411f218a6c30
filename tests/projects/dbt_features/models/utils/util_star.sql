select
    {{ dbt_utils.star(from=ref('stg_customers'), relation_alias='c', except=['score', 'INITIALS']) }},
    {{ dbt_utils.star(ref('stg_payments'), except=['order_id'], prefix='paid_', suffix='_by') }}
from {{ ref('stg_customers') }} as c
join {{ ref('stg_orders') }} as o on o.customer_id = c.customer_id
join {{ ref('stg_payments') }} as p on p.order_id = o.order_id
