{%- set relations = dbt_utils.get_relations_by_pattern(target.schema, 'stg_%', exclude='stg_e%') -%}
{%- set prefixed = dbt_utils.get_relations_by_prefix(target.schema, 'stg_') -%}
-- depends_on: {{ ref('stg_customers') }} {{ ref('stg_orders') }} {{ ref('stg_items') }} {{ ref('stg_payments') }} {{ ref('stg_events') }}
select
    {{ relations | length }} as by_pattern,
    {{ prefixed | length }} as by_prefix,
    '{{ relations | map(attribute="identifier") | join(",") }}' as names
