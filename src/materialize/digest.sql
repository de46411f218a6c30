-- name: hash_of_text
hashtextextended(row({{ written | inline }})::text, 0)

-- name: hash_of_columns
{#- The hash of a record is a sum over its columns, and sums of such sums over rows would not tell which value stands in
    which row. As the seed of one more hash it does. -#}
hashint4extended(0, hash_record_extended(row(
{%- for image in images -%}
    {%- if image.sent -%}
        {{ image.sent }}({{ image.name }})
    {%- elif image.is_bytes -%}
        {{ image.name }} collate "C"
    {%- elif image.is_text -%}
        {{ image.name }}::text collate "C"
    {%- else -%}
        {{ image.name }}
    {%- endif -%}
    {%- if not loop.last or written -%}, {% endif -%}
{%- endfor -%}
{%- if written -%}
    row({{ written | inline }})::text collate "C"
{%- endif -%}
), 0))

-- name: bounds
select distinct numbered.bound
from (
    select
        {{ key }} as bound,
        row_number() over (order by {{ key }}) as place
    from {{ relation }}
    where _deleted_at is null
) as numbered
where numbered.place % {{ rows_per_range }} = 1
order by numbered.bound

-- name: bounds_as_text
select bounds.bound::text
from (
{{ bounds }}
) as bounds
order by bounds.bound

-- name: digests
select
    width_bucket({{ key }}, $1::text[]::{{ data_type }}[]) as place,
    count(*) as row_count,
    sum({{ row_hash }})::text as digest
from {{ relation }}
{% if condition %}
where {{ condition }}
{% endif %}
group by 1

-- name: within
(
{% for range in ranges %}
    ({% if range.lower %}{{ key }} >= {{ range.lower }}{% else %}true{% endif %} and {% if range.upper %}{{ key }} < {{ range.upper }}{% else %}true{% endif %}){% if not loop.last %} or{% endif %}

{% else %}
    false
{% endfor %}
)

-- name: within_many
width_bucket({{ key }}, array[
{% for bound in bounds %}
    {{ bound }}{% if not loop.last %},{% endif %}

{% endfor %}
]::{{ data_type }}[]) = any ('{ {%- for place in places %}{{ place }}{% if not loop.last %},{% endif %}{% endfor -%} }'::integer[])

-- name: live_at_source
{% if condition %}
{{ condition }}
    and {{ mark }} {% if is_boolean %}is not true{% else %}is null{% endif %}

{% else %}
{{ mark }} {% if is_boolean %}is not true{% else %}is null{% endif %}

{% endif %}

-- name: live_in_copy
_deleted_at is null
{% if condition %}
    and {{ condition }}
{% endif %}

-- name: sum
select
    count(*),
    case
        -- Earlier servers write floating-point numbers in another way, and other encodings have other bytes.
        when current_setting('server_version_num')::integer >= 120000
            and current_setting('server_encoding') = 'UTF8'
            then coalesce(sum({{ row_hash }}), 0)::text
    end
from {{ relation }}
{% if condition %}
where {{ condition }}
{% endif %}
