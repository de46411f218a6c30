{# Fails with each row for which the expression is not true; under a column, the expression follows its name. #}

{% test expression_is_true(model, expression, column_name=None) -%}
    {{ return(adapter.dispatch('test_expression_is_true', 'dbt_utils')(model, expression, column_name)) }}
{%- endtest %}

{% macro default__test_expression_is_true(model, expression, column_name) -%}
    select *
    from {{ model }}
    where not ({{ (column_name ~ ' ' if column_name else '') ~ expression }})
{%- endmacro %}
