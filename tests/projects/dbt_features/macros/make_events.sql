{# A table that no model makes; the source speaks of it. #}
{% macro make_events() -%}
    create table if not exists {{ target.schema }}_raw.site_events as
    select *
    from (
        values
            (1, 1, 'https://shop.example.org/pens/blue?utm_source=mail&x=1', timestamp '2024-01-04 08:00:00'),
            (2, 1, 'http://shop.example.org/ink', timestamp '2024-02-05 11:00:00'),
            (3, 2, 'https://www.example.org?utm_source=search', timestamp '2024-02-13 12:30:00'),
            (4, null, 'shop.example.org/paper/a4?x=2&utm_source=mail', timestamp '2024-03-01 00:00:00')
    ) as written (id, customer_id, url, happened_at)
{%- endmacro %}
