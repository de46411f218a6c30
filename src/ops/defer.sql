select
    space.nspname,
    relation.relname
from pg_class as relation
join pg_namespace as space on space.oid = relation.relnamespace
join unnest($1::text[], $2::text[]) as wanted (schema_name, relation_name)
    on wanted.schema_name = space.nspname
    and wanted.relation_name = relation.relname
where relation.relkind in ('r', 'p', 'v', 'm', 'f')
