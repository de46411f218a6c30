{# Arithmetic with dates and times. Every argument is a piece of SQL; a date part is a word such as 'day'. #}

{% macro dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ return(adapter.dispatch('dateadd', 'dbt')(datepart, interval, from_date_or_timestamp)) }}
{%- endmacro %}

{% macro default__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {{ from_date_or_timestamp }} + ((interval '1 {{ datepart }}') * ({{ interval }}))
{%- endmacro %}

{% macro datediff(first_date, second_date, datepart) -%}
    {{ return(adapter.dispatch('datediff', 'dbt')(first_date, second_date, datepart)) }}
{%- endmacro %}

{% macro default__datediff(first_date, second_date, datepart) -%}
    {#- How often a boundary of the part lies between the two. #}
    {%- set first = "(" ~ first_date ~ ")" -%}
    {%- set second = "(" ~ second_date ~ ")" -%}
    {%- if datepart == 'day' -%}
        ({{ second }}::date - {{ first }}::date)
    {%- elif datepart == 'week' -%}
        {#- A week begins on Sunday. The step counts beginnings that the whole weeks leave out. -#}
        (({{ second }}::date - {{ first }}::date) / 7 + case
            when date_part('dow', {{ first }}::timestamp) <= date_part('dow', {{ second }}::timestamp)
                then case when {{ first }} <= {{ second }} then 0 else -1 end
            when {{ first }} <= {{ second }} then 1
            else 0
        end)
    {%- elif datepart in ('year', 'quarter', 'month') -%}
        {%- set parts_a_year = {'year': 1, 'quarter': 4, 'month': 12}[datepart] -%}
        ((date_part('year', {{ second }}::date) - date_part('year', {{ first }}::date)) * {{ parts_a_year }}
        {%- if datepart != 'year' %}
        + date_part('{{ datepart }}', {{ second }}::date) - date_part('{{ datepart }}', {{ first }}::date)
        {%- endif -%})
    {%- elif datepart in ('hour', 'minute', 'second', 'millisecond', 'microsecond') -%}
        {%- set lengths = {'hour': 3600, 'minute': 60, 'second': 1} -%}
        {%- set per_second = {'millisecond': 1000, 'microsecond': 1000000} -%}
        {%- if datepart in lengths -%}
        (floor(extract(epoch from {{ second }}::timestamp) / {{ lengths[datepart] }})
        - floor(extract(epoch from {{ first }}::timestamp) / {{ lengths[datepart] }}))::double precision
        {%- else -%}
        (floor(extract(epoch from {{ second }}::timestamp) * {{ per_second[datepart] }})
        - floor(extract(epoch from {{ first }}::timestamp) * {{ per_second[datepart] }}))::double precision
        {%- endif -%}
    {%- else -%}
        {{ exceptions.raise_compiler_error("datediff does not know the date part '" ~ datepart ~ "'") }}
    {%- endif -%}
{%- endmacro %}

{% macro date_trunc(datepart, date) -%}
    {{ return(adapter.dispatch('date_trunc', 'dbt')(datepart, date)) }}
{%- endmacro %}

{% macro default__date_trunc(datepart, date) -%}
    date_trunc('{{ datepart }}', {{ date }})
{%- endmacro %}

{% macro last_day(date, datepart) -%}
    {{ return(adapter.dispatch('last_day', 'dbt')(date, datepart)) }}
{%- endmacro %}

{% macro default__last_day(date, datepart) -%}
    {#- An interval cannot be a quarter. #}
    {%- set length = '3 month' if datepart == 'quarter' else '1 ' ~ datepart -%}
    cast(date_trunc('{{ datepart }}', {{ date }}) + interval '{{ length }}' - interval '1 day' as date)
{%- endmacro %}

{% macro date(year, month, day) -%}
    {{ return(adapter.dispatch('date', 'dbt')(year, month, day)) }}
{%- endmacro %}

{% macro default__date(year, month, day) -%}
    make_date({{ year }}, {{ month }}, {{ day }})
{%- endmacro %}

{% macro current_timestamp() -%}
    {{ return(adapter.dispatch('current_timestamp', 'dbt')()) }}
{%- endmacro %}

{% macro default__current_timestamp() -%}
    now()
{%- endmacro %}

{% macro current_timestamp_backcompat() -%}
    {{ return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) }}
{%- endmacro %}

{% macro default__current_timestamp_backcompat() -%}
    current_timestamp::timestamp without time zone
{%- endmacro %}

{% macro current_timestamp_in_utc_backcompat() -%}
    {{ return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) }}
{%- endmacro %}

{% macro default__current_timestamp_in_utc_backcompat() -%}
    (current_timestamp at time zone 'utc')::timestamp without time zone
{%- endmacro %}

{% macro get_intervals_between(start_date, end_date, datepart) -%}
    {{ return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) }}
{%- endmacro %}

{% macro default__get_intervals_between(start_date, end_date, datepart) -%}
    {%- if not execute -%}{{ return(1) }}{%- endif -%}
    {%- set answer = run_query("select " ~ dbt.datediff(start_date, end_date, datepart) ~ " as intervals") -%}
    {{ return(answer.columns[0].values()[0]) }}
{%- endmacro %}

