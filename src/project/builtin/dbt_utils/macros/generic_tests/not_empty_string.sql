{# Fails with each row whose text is empty; blanks around it are left out of account, unless told otherwise. #}

{% test not_empty_string(model, column_name, trim_whitespace=true) -%}
    {{ return(adapter.dispatch('test_not_empty_string', 'dbt_utils')(model, column_name, trim_whitespace)) }}
{%- endtest %}

{% macro default__test_not_empty_string(model, column_name, trim_whitespace) -%}
    select {{ column_name }}
    from {{ model }}
    where {{ 'trim(' ~ column_name ~ ')' if trim_whitespace else column_name }} = ''
{%- endmacro %}
