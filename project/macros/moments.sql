{# SVP writes UTC without saying so. #}
{% macro at_utc(column) -%}
({{ column }} at time zone 'UTC')
{%- endmacro %}

{# A date inside the bounds, NULL otherwise: sources hold year 1, year 2999 and infinity. #}
{% macro date_within(column, earliest, latest) -%}
case when {{ column }} between date '{{ earliest }}' and date '{{ latest }}' then {{ column }} end
{%- endmacro %}
