{{ config(meta={'key_column': 'order_id'}, pre_hook=["select 1", "{{ log('before ' ~ this.identifier) }}"]) }}

select
    e.*,
    {% for method in var('payment_methods') %}
    p.{{ method }}_amount,
    {%- endfor %}
    p.total_amount
from {{ ref('int_orders_enriched') }} as e
left join {{ ref('int_payments_pivoted') }} as p using (order_id)
