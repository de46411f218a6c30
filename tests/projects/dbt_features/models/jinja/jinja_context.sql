{%- set parsed = fromjson('{"a": [1, 2], "b": {"c": "d"}}') -%}
{%- set yaml = fromyaml("names:\n  - x\n  - y\nflag: true") -%}
{%- set found = modules.re.match('([a-z]+)_([0-9]+)', 'order_42') -%}
{%- set day = modules.datetime.datetime(2024, 2, 28) + modules.datetime.timedelta(days=2) -%}
{%- set parsed_day = modules.datetime.datetime.strptime('2024-12-25', '%Y-%m-%d') -%}

select 'target' as what, '{{ target.name }} {{ target.type }} {{ target.threads }}' as value
union all select 'this', '{{ this.identifier }} {{ this.name }} {{ this.schema == target.schema }}'
union all select 'model', '{{ model.name }} {{ model.resource_type }} {{ model.package_name }} {{ model.config.materialized }}'
union all select 'json', '{{ parsed.a[1] }} {{ parsed["b"].c }} {{ tojson([1, "two"]) }}'
union all select 'yaml', '{{ yaml.names | join(",") }} {{ yaml.flag }}'
union all select 'regex', '{{ found.group(1) }} {{ found.group(2) }} {{ modules.re.sub("[aeiou]", "-", "vowels") }} {{ modules.re.findall("[0-9]+", "a1b22") | join(",") }}'
union all select 'datetime', '{{ day.strftime("%Y-%m-%d") }} {{ day.date() }} {{ parsed_day.isoformat() }} {{ parsed_day.year }}'
union all select 'itertools', '{% for pair in modules.itertools.product(["a", "b"], [1, 2]) %}{{ pair[0] }}{{ pair[1] }}{% endfor %} {% for pair in modules.itertools.combinations(["a", "b", "c"], 2) %}{{ pair | join }}{% endfor %}'
union all select 'set', '{{ set([1, 2, 2, 3]) | length }} {{ zip([1, 2], ["a", "b"]) | list | length }} {{ set(["x"]) | list | first }}'
union all select 'vars', '{{ var("cutoff") }} {{ var("absent", "default") }} {{ env_var("FEATURES_ABSENT", "no variable") }}'
union all select 'project', '{{ project_name }} {{ flags.FULL_REFRESH }} {{ invocation_id | length }} {{ execute }}'
union all select 'started', '{{ run_started_at.strftime("%Y") | length }} {{ run_started_at.year > 2000 }}'
union all select 'graph', '{{ graph.nodes.values() | selectattr("resource_type", "equalto", "snapshot") | list | length if execute }} {{ (graph.sources.values() | list)[0].name if execute }}'
union all select 'relation', '{{ ref("customers").identifier }} {{ ref("customers").schema == target.schema ~ "_marts" }} {{ source("site", "events").identifier }}'
union all select 'api', '{{ api.Relation.create(schema="s", identifier="t").include(database=false) | replace("\"", "") }}'
union all select 'quote', '{{ adapter.quote("a b") }}'
union all select 'config', '{{ config.get("materialized") }} {{ config.get("absent", default="none given") }}'
