{% snapshot orders_history %}
{{ config(target_schema='snapshots', unique_key='id', strategy='check', check_cols=['id'], tags=['nightly']) }}
select * from {{ ref('orders') }}
{% endsnapshot %}
