{# What a query of the database says decides the columns. #}
{%- set statuses_query -%}
select distinct status from {{ ref('stg_orders') }} order by status
{%- endset -%}
{%- set results = run_query(statuses_query) -%}
{%- if execute -%}
    {%- set statuses = results.columns[0].values() -%}
{%- else -%}
    {%- set statuses = [] -%}
{%- endif -%}
{%- call statement('biggest', fetch_result=True) -%}
    select max(order_id) as biggest, count(*) as counted from {{ ref('stg_orders') }}
{%- endcall -%}
{%- set biggest = load_result('biggest') -%}
{%- set columns = adapter.get_columns_in_relation(ref('stg_orders')) if execute else [] -%}
{%- set there = adapter.get_relation(database=target.database, schema=target.schema, identifier='stg_orders') -%}
{%- set missing = adapter.get_relation(database=target.database, schema=target.schema, identifier='never_made') -%}

select
    customer_id,
    {% for status in statuses -%}
    count(*) filter (where status = '{{ status }}') as {{ status }}_orders,
    {% endfor -%}
    {{ biggest['data'][0][0] if execute else 0 }} as biggest_order,
    '{{ biggest.table.columns[1].name if execute else "" }}' as counted_column,
    '{% for column in columns %}{{ column.name }}:{{ column.data_type }}{{ "," if not loop.last }}{% endfor %}' as columns_there,
    '{{ columns | map(attribute="column") | join(" ") }}' as names_there,
    {{ there is not none }} as there,
    {{ missing is none }} as missing,
    '{% for row in (results.rows if execute else []) %}{{ row["status"] }}.{{ row[0] | length }} {% endfor %}' as looped
from {{ ref('stg_orders') }}
group by customer_id
