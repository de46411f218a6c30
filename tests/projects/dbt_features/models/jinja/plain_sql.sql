select 1 as id, 'no Jinja at all' as label
