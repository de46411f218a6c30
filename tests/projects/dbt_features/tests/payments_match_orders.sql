{{ config(tags=['money'], severity='error', error_if='>0') }}

select order_id, total_amount
from {{ ref('orders') }}
where total_amount < 0
