{{ config(materialized='incremental', unique_key='order_id', on_schema_change='sync_all_columns') }}

select
    order_id,
    {% if var('round') | int == 1 %}status as first_status{% else %}upper(status) as last_status{% endif %}
from {{ ref('stg_orders') }}
