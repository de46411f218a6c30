{#- Statements, loops, methods and filters as dbt's projects use them. -#}
{%- set letters = ['a', 'b', 'c'] -%}
{%- do letters.append('d') -%}
{%- set counter = namespace(total=0, seen=[]) -%}
{%- for letter in letters if letter != 'b' -%}
    {%- set counter.total = counter.total + loop.index0 -%}
    {%- do counter.seen.append(letter.upper()) -%}
{%- endfor -%}
{%- set ages = {'amal': 31, 'badr': 40} -%}
{%- do ages.update({'chloe': 25}) -%}
{%- set text = '  Some, Words ' -%}
{%- set block -%}
    block of {{ letters | length }}
{%- endset -%}

select 'letters' as what, '{{ letters | join("-") }}' as value
union all select 'total', '{{ counter.total }}'
union all select 'seen', '{{ counter.seen | join }}'
{% for name, age in ages.items() | sort(attribute='1') -%}
union all select 'age of {{ name }}', '{{ age }}'
{% endfor -%}
{% for nothing in [] -%}
union all select 'never', ''
{% else -%}
union all select 'no rows', 'else'
{% endfor -%}
{% for row in [[1, 2], [3, 4]] -%}
    {% set outer = loop -%}
    {% for cell in row -%}
union all select 'cell {{ outer.index }}.{{ loop.index }}', '{{ cell }}{{ " last" if loop.last and outer.last else "" }}{{ loop.previtem if not loop.first }}'
    {% endfor -%}
{% endfor -%}
union all select 'strip', '{{ text.strip() }}'
union all select 'split', '{{ text.strip().split(", ")[1] }}'
union all select 'replace', '{{ text | trim | replace("Some", "More") | lower }}'
union all select 'format', '{{ "%s has %d" | format("list", 3) }} {{ "{} and {name}".format("one", name="two") }}'
union all select 'title', '{{ "a title of words".title() }} {{ "word".capitalize() }}'
union all select 'starts', '{{ "prefix_name".startswith("prefix") }} {{ "prefix_name".endswith("x") }}'
union all select 'slice', '{{ "abcdef"[1:3] }}{{ letters[-1] }}{{ letters[:2] | join }}'
union all select 'block', '{{ block }}'
union all select 'default', '{{ nothing_here | default("fallback") }} {{ none | default("given", true) }}'
union all select 'inline if', '{{ "yes" if letters else "no" }}'
union all select 'tests', '{{ 3 is odd }} {{ "x" is string }} {{ letters is iterable }} {{ ages is mapping }} {{ none is none }}'
union all select 'in', '{{ "a" in letters }} {{ "z" not in letters }} {{ "amal" in ages }}'
union all select 'arithmetic', '{{ 7 // 2 }} {{ 7 % 2 }} {{ 2 ** 5 }} {{ 7 / 2 }} {{ 1 + 2 * 3 }}'
union all select 'filters', '{{ [3, 1, 2] | sort | join(",") }} {{ [1, 2, 3] | sum }} {{ [1, 2, 3] | map("string") | join("+") }}'
union all select 'select', '{{ [1, 2, 3, 4] | select("even") | join(",") }} {{ [0, 1, none] | reject("none") | list | length }}'
union all select 'attributes', '{{ [{"n": "x"}, {"n": "y"}] | map(attribute="n") | join(",") }} {{ [{"n": 1, "k": true}, {"n": 2, "k": false}] | selectattr("k") | map(attribute="n") | list }}'
union all select 'unique', '{{ [1, 1, 2] | unique | list | length }} {{ [1, 2] | first }} {{ [1, 2] | last }} {{ [[1, 2], [3]] | sum(start=[]) | length }}'
union all select 'batch', '{% for two in [1, 2, 3] | batch(2) %}[{{ two | join(",") }}]{% endfor %}'
union all select 'concat', '{{ "a" ~ 1 ~ none }}'
union all select 'compare', '{{ 1 < 2 and not (2 > 3) or false }}'
union all select 'keys', '{{ ages.keys() | list | sort | join(",") }} {{ ages.get("nobody", 0) }} {{ ages.pop("amal") }} {{ ages | length }}'
union all select 'raw', '{% raw %}{{ kept }}{% endraw %}'
union all select 'range', '{{ range(2, 10, 3) | list | join(",") }}'
union all select 'dictsort', '{% for key, value in {"b": 1, "a": 2} | dictsort %}{{ key }}{{ value }}{% endfor %}'
union all select 'list methods', '{{ [1, 2] + [3] }} {{ letters.index("c") }} {{ letters.pop() }} {{ letters | length }} {{ "a,b".split(",") | length }}'
