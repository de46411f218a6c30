-- depends_on: {{ ref('inc_append') }}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['order_id', 'method'],
        on_schema_change='append_new_columns'
    )
}}

select
    p.order_id,
    p.method,
    sum(p.amount) as amount
    {%- if var('round') | int > 1 %},
    count(*) as payments
    {%- endif %}
from {{ ref('stg_payments') }} as p
join {{ ref('stg_orders') }} as o using (order_id)
{% if is_incremental() %}
where o.ordered_at >= (select max(ordered_at) from {{ ref('inc_append') }} where seen_in = 1)
{% endif %}
group by p.order_id, p.method
