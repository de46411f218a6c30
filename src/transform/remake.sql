-- name: dependents
with recursive dependents as (
    select
        rewrite.ev_class as oid,
        1 as depth
    from pg_depend as depend
    join pg_rewrite as rewrite on rewrite.oid = depend.objid
    where depend.classid = 'pg_rewrite'::regclass
        and depend.refclassid = 'pg_class'::regclass
        and depend.refobjid = to_regclass($1)
        and rewrite.ev_class <> depend.refobjid
    union
    select
        rewrite.ev_class,
        dependents.depth + 1
    from dependents
    join pg_depend as depend on depend.refobjid = dependents.oid
    join pg_rewrite as rewrite on rewrite.oid = depend.objid
    where depend.classid = 'pg_rewrite'::regclass
        and depend.refclassid = 'pg_class'::regclass
        and rewrite.ev_class <> depend.refobjid
)
select
    namespace.nspname::text as schema_name,
    class.relname::text as relation_name,
    class.relkind::text as kind,
    coalesce(obj_description(class.oid, 'pg_class'), '') as comment,
    format('create %s %s as %s', kind.word, class.oid::regclass, pg_get_viewdef(class.oid)) as create_view,
    format('drop %s %s', kind.word, class.oid::regclass) as drop_view
from (
    select
        oid,
        max(depth) as depth
    from dependents
    group by oid
) as dependent
join pg_class as class on class.oid = dependent.oid
join pg_namespace as namespace on namespace.oid = class.relnamespace
cross join lateral (
    select case class.relkind when 'm' then 'materialized view' else 'view' end as word
) as kind
order by
    dependent.depth,
    schema_name,
    relation_name

-- name: others
select pg_describe_object(depend.classid, depend.objid, depend.objsubid)
from pg_class as class
join pg_depend as depend on (depend.refclassid, depend.refobjid) = ('pg_class'::regclass, class.oid)
    or (depend.refclassid, depend.refobjid) = ('pg_type'::regclass, class.reltype)
where class.oid = to_regclass($1)
    and depend.deptype = 'n'
    and (depend.classid, depend.objid) not in (
        select
            'pg_constraint'::regclass,
            own.oid
        from pg_constraint as own
        where own.conrelid = class.oid
        union all
        select
            'pg_policy'::regclass,
            own.oid
        from pg_policy as own
        where own.polrelid = class.oid
        union all
        select
            'pg_rewrite'::regclass,
            own.oid
        from pg_rewrite as own
        where own.ev_class = class.oid
        union all
        select
            'pg_trigger'::regclass,
            own.oid
        from pg_trigger as own
        where own.tgrelid = class.oid
        union all
        select
            'pg_attrdef'::regclass,
            own.oid
        from pg_attrdef as own
        where own.adrelid = class.oid
        union all
        select
            'pg_publication_rel'::regclass,
            own.oid
        from pg_publication_rel as own
        where own.prrelid = class.oid
        union all
        select
            'pg_statistic_ext'::regclass,
            own.oid
        from pg_statistic_ext as own
        where own.stxrelid = class.oid
        union all
        select
            'pg_class'::regclass,
            own.indexrelid
        from pg_index as own
        where own.indrelid = class.oid
    )
union all
select 'inheritance from ' || parent.inhparent::regclass
from pg_inherits as parent
where parent.inhrelid = to_regclass($1)
limit 1
