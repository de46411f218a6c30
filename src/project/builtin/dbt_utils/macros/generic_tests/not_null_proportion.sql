{# Fails with each group in which the share of values that are not null is out of bounds. #}

{% test not_null_proportion(model, column_name, at_least, at_most=1.0, group_by_columns=[]) -%}
    {{ return(adapter.dispatch('test_not_null_proportion', 'dbt_utils')(model, column_name, at_least, at_most, group_by_columns)) }}
{%- endtest %}

{% macro default__test_not_null_proportion(model, column_name, at_least, at_most, group_by_columns) -%}
    {%- set grouped = group_by_columns | join(', ') %}
    select *
    from (
        select
            {{ grouped ~ ',' if grouped }}
            count({{ column_name }}) / nullif(count(*), 0)::numeric as not_null_proportion
        from {{ model }}
        {{ 'group by ' ~ grouped if grouped }}
    ) as shares
    where not_null_proportion < {{ at_least }} or not_null_proportion > {{ at_most }}
{%- endmacro %}
