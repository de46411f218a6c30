{# Ten digits without separators, in Western figures. NULL for placeholders such as N/A or 1111111111. #}
{% macro clean_national_id(column) -%}
substring(
    regexp_replace(translate({{ column }}, '٠١٢٣٤٥٦٧٨٩', '0123456789'), '[^0-9]', '', 'g')
    from '^(?!(?:1{10}|2{10})$)[12][0-9]{9}$'
)
{%- endmacro %}

{# Capitals and digits, at least six of them. #}
{% macro clean_passport(column) -%}
substring(regexp_replace(upper({{ column }}), '[^A-Z0-9]', '', 'g') from '^.{6,32}$')
{%- endmacro %}

{# The international form. Numbers without a country code are Saudi. #}
{% macro clean_phone(column) -%}
{%- set digits = "regexp_replace(" ~ column ~ ", '[^0-9]', '', 'g')" -%}
case
    when {{ digits }} ~ '^0?5[0-9]{8}$' then '+966' || right({{ digits }}, 9)
    when {{ digits }} ~ '^(00)?[1-9][0-9]{7,14}$' then '+' || regexp_replace({{ digits }}, '^00', '')
end
{%- endmacro %}

{# An amount in the smallest coin of its currency. #}
{% macro money(minor_amount, minor_units) -%}
round({{ minor_amount }} / 10.0 ^ {{ minor_units }}, 3)
{%- endmacro %}
