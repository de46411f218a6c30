{# Numbers that may be null or zero. #}

{% macro _list_of_fields(field_list, macro_name) -%}
    {%- if field_list is string or field_list is not iterable or field_list is mapping -%}
        {{ exceptions.raise_compiler_error("dbt_utils." ~ macro_name ~ " takes one list of fields: ['a', 'b']") }}
    {%- endif -%}
    {%- set parts = [] -%}
    {%- for field in field_list -%}
        {%- do parts.append('coalesce(' ~ field ~ ', 0)') -%}
    {%- endfor -%}
    {{ return(parts) }}
{%- endmacro %}

{% macro safe_add(field_list) -%}
    {{ return(adapter.dispatch('safe_add', 'dbt_utils')(field_list)) }}
{%- endmacro %}

{% macro default__safe_add(field_list) -%}
    {{ dbt_utils._list_of_fields(field_list, 'safe_add') | join(' + ') }}
{%- endmacro %}

{% macro safe_subtract(field_list) -%}
    {{ return(adapter.dispatch('safe_subtract', 'dbt_utils')(field_list)) }}
{%- endmacro %}

{% macro default__safe_subtract(field_list) -%}
    {{ dbt_utils._list_of_fields(field_list, 'safe_subtract') | join(' - ') }}
{%- endmacro %}

{% macro safe_divide(numerator, denominator) -%}
    {{ return(adapter.dispatch('safe_divide', 'dbt_utils')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__safe_divide(numerator, denominator) -%}
    ({{ numerator }}) / nullif(({{ denominator }}), 0)
{%- endmacro %}

{% macro width_bucket(expr, min_value, max_value, num_buckets) -%}
    {{ return(adapter.dispatch('width_bucket', 'dbt_utils')(expr, min_value, max_value, num_buckets)) }}
{%- endmacro %}

{% macro default__width_bucket(expr, min_value, max_value, num_buckets) -%}
    width_bucket({{ expr }}, {{ min_value }}, {{ max_value }}, {{ num_buckets }})
{%- endmacro %}

{% macro haversine_distance(lat1, lon1, lat2, lon2, unit='mi') -%}
    {{ return(adapter.dispatch('haversine_distance', 'dbt_utils')(lat1, lon1, lat2, lon2, unit)) }}
{%- endmacro %}

{% macro default__haversine_distance(lat1, lon1, lat2, lon2, unit) -%}
    {%- if unit not in ('mi', 'km') -%}
        {{ exceptions.raise_compiler_error("haversine_distance: unit must be 'mi' or 'km', not '" ~ unit ~ "'") }}
    {%- endif -%}
    {#- Twice the earth's radius in miles, and kilometres a mile. -#}
    2 * 3961 * asin(sqrt(
        power(sin(radians(({{ lat2 }} - {{ lat1 }}) / 2)), 2)
        + cos(radians({{ lat1 }})) * cos(radians({{ lat2 }})) * power(sin(radians(({{ lon2 }} - {{ lon1 }}) / 2)), 2)
    )){{ ' * 1.60934' if unit == 'km' }}
{%- endmacro %}
