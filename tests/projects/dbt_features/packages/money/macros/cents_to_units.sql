{% macro cents_to_units(column, digits=2) -%}
    {{ return(adapter.dispatch('cents_to_units', 'money')(column, digits)) }}
{%- endmacro %}

{% macro default__cents_to_units(column, digits) -%}
    round({{ column }}::numeric / {{ money.hundred() }}, {{ digits }})
{%- endmacro %}

{% macro hundred() %}100{% endmacro %}

{% macro currency_label() -%}
    {{ return(adapter.dispatch('currency_label', 'money')()) }}
{%- endmacro %}

{% macro default__currency_label() -%}
    {{ return('package') }}
{%- endmacro %}
