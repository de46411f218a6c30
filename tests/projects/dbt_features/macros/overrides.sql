{# dispatch finds these before the packages' own. #}
{% macro default__safe_subtract(field_list) -%}
    (0 + {{ field_list | join(' - ') }})
{%- endmacro %}

{% macro postgres__currency_label() -%}
    {{ return('project ' ~ var('label', 'label')) }}
{%- endmacro %}
