select 1 as id, 'one' as full_name
