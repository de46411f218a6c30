{% macro rows_of(names) -%}
    {%- for name in names %}
    select {{ loop.index }} as position, {{ caller(name, loop.first) }}
    {%- if not loop.last %} union all {% endif %}
    {%- endfor %}
{%- endmacro %}

{% macro described(kind, plural=false) -%}
    {%- set words = [kind ~ ('s' if plural else '')] -%}
    {%- for word in varargs -%}
        {%- do words.append(word) -%}
    {%- endfor -%}
    {%- for key, value in kwargs.items() -%}
        {%- do words.append(key ~ '=' ~ value) -%}
    {%- endfor -%}
    {{ return(words) }}
{%- endmacro %}

{% macro factorial(n) -%}
    {%- if n <= 1 -%}{{ return(1) }}{%- endif -%}
    {{ return(n * factorial(n - 1)) }}
{%- endmacro %}

{% macro first_even(numbers) -%}
    {%- for number in numbers -%}
        {%- if number % 2 == 0 -%}{{ return(number) }}{%- endif -%}
    {%- endfor -%}
    {{ return(none) }}
{%- endmacro %}
