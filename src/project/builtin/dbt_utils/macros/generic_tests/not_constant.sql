{# Fails if the column, or a group of it, has the same value everywhere. #}

{% test not_constant(model, column_name, group_by_columns=[]) -%}
    {{ return(adapter.dispatch('test_not_constant', 'dbt_utils')(model, column_name, group_by_columns)) }}
{%- endtest %}

{% macro default__test_not_constant(model, column_name, group_by_columns) -%}
    {%- set grouped = group_by_columns | join(', ') %}
    select {{ grouped ~ ', ' if grouped }}count(distinct {{ column_name }}) as filler_column
    from {{ model }}
    {{ 'group by ' ~ grouped if grouped }}
    having count(distinct {{ column_name }}) = 1
{%- endmacro %}
