{%- set words = described('pen', true, 'blue', 'new', size='a4', sold=2) -%}

select 1 as position, '{{ words | join(" ") }}' as said
union all
select 10, '{{ factorial(5) }}'
union all
select 20, '{{ first_even([1, 3, 4, 6]) }} {{ first_even([1]) is none }}'
union all
select 30, '{{ money.currency_label() }} {{ var("currency", "none here") }}'
union all
select position + 100, said
from (
    {% call(name, first) rows_of(['x', 'y', 'z']) %}'{{ name }}{{ " first" if first }}' as said{% endcall %}
) as called
union all
select 40, '{{ features.factorial(3) }} {{ dbt.type_string() | lower }}'
