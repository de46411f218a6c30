{# Fails if the column, or a group of it, has no value that is not null. #}

{% test at_least_one(model, column_name, group_by_columns=[]) -%}
    {{ return(adapter.dispatch('test_at_least_one', 'dbt_utils')(model, column_name, group_by_columns)) }}
{%- endtest %}

{% macro default__test_at_least_one(model, column_name, group_by_columns) -%}
    {%- set grouped = group_by_columns | join(', ') %}
    select {{ grouped ~ ', ' if grouped }}count({{ column_name }}) as filled
    from {{ model }}
    {{ 'group by ' ~ grouped if grouped }}
    having count({{ column_name }}) = 0
{%- endmacro %}
