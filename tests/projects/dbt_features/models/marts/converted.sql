{{ config(meta={'key_column': 'customer_id'}) }}
select c.customer_id, c.lifetime_value * r.rate as value_in_currency, r.currency
from {{ ref('customers') }} as c
cross join {{ ref('money', 'chosen_rate') }} as r
