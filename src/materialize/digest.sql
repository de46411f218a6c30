-- name: hash_of_text
hashtextextended(row({{ names | inline }})::text, 0)

-- name: hash_of_values
hash_record_extended(row(
{%- for value in values %}{{ value }}{% if not loop.last or bytes or texts or others %}, {% endif %}{% endfor -%}
{%- for text in bytes %}{{ text }} collate "C"{% if not loop.last or texts or others %}, {% endif %}{% endfor -%}
{%- for text in texts %}{{ text }}::text collate "C"{% if not loop.last or others %}, {% endif %}{% endfor -%}
{%- if others %}row({{ others | inline }})::text collate "C"{% endif -%}
), 0)

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
