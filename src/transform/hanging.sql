-- name: hanging
with relation as (
    select
        class.oid,
        class.oid::regclass::text as name,
        case class.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
        class.relowner,
        class.relacl,
        class.reloptions,
        class.reltablespace,
        class.relreplident,
        class.relrowsecurity,
        class.relforcerowsecurity,
        coalesce(obj_description(class.oid, 'pg_class'), '') as comment,
        -- What a contract says of columns is the contract's to say again.
        exists (
            select
            from pg_description as seal
            where seal.classoid = 'pg_type'::regclass
                and seal.objoid = class.reltype
                and seal.description like 'made by unimig: contract %'
        ) as has_contract
    from pg_class as class
    where class.oid = to_regclass($1)
),

indexes as (
    select
        index.indexrelid as oid,
        index_class.relname::text as name,
        index.indisclustered,
        index.indisreplident,
        promised.oid as constraint_oid,
        promised.conname as constraint_name,
        -- Those of a materialized view that is made again with what it reads come back with it.
        $2 is not null
            and (
                coalesce(obj_description(index.indexrelid, 'pg_class'), '') like 'made by unimig: %'
                or coalesce(obj_description(promised.oid, 'pg_constraint'), '') like 'made by unimig: %'
            ) as is_ours
    from relation
    join pg_index as index on index.indrelid = relation.oid
    join pg_class as index_class on index_class.oid = index.indexrelid
    left join pg_constraint as promised on promised.conindid = index.indexrelid
        and promised.conrelid = index.indrelid
        and promised.contype in ('p', 'u', 'x')
),

constraints as (
    select
        promised.oid,
        promised.conname::text as name
    from relation
    join pg_constraint as promised on promised.conrelid = relation.oid
    where promised.contype in ('c', 'f')
        and coalesce(obj_description(promised.oid, 'pg_constraint'), '') not like 'made by unimig: %'
),

triggers as (
    select
        trigger.oid,
        trigger.tgname::text as name,
        trigger.tgenabled
    from relation
    join pg_trigger as trigger on trigger.tgrelid = relation.oid
    where not trigger.tgisinternal
),

columns as (
    select
        attribute.attnum,
        attribute.attname::text as name,
        format('column "%s"', attribute.attname) as what,
        attribute.attnotnull,
        attribute.attgenerated,
        attribute.attacl,
        attribute.attstattarget,
        attribute.attstorage <> type.typstorage as has_storage,
        attribute.attstorage,
        attribute.attoptions
    from relation
    join pg_attribute as attribute on attribute.attrelid = relation.oid
    join pg_type as type on type.oid = attribute.atttypid
    where attribute.attnum > 0
        and not attribute.attisdropped
),

described as (
    select
        index.oid,
        'pg_class' as catalog,
        format('index %s', index.oid::regclass) as object
    from indexes as index
    where not index.is_ours
        and index.constraint_oid is null
    union all
    select
        index.constraint_oid,
        'pg_constraint',
        format('constraint %I on %s', index.constraint_name, relation.name)
    from relation
    cross join indexes as index
    where not index.is_ours
        and index.constraint_oid is not null
    union all
    select
        promised.oid,
        'pg_constraint',
        format('constraint %I on %s', promised.name, relation.name)
    from relation
    cross join constraints as promised
    union all
    select
        trigger.oid,
        'pg_trigger',
        format('trigger %I on %s', trigger.name, relation.name)
    from relation
    cross join triggers as trigger
    union all
    select
        statistic.oid,
        'pg_statistic_ext',
        format('statistics %I.%I', namespace.nspname, statistic.stxname)
    from relation
    join pg_statistic_ext as statistic on statistic.stxrelid = relation.oid
    join pg_namespace as namespace on namespace.oid = statistic.stxnamespace
    union all
    select
        policy.oid,
        'pg_policy',
        format('policy %I on %s', policy.polname, relation.name)
    from relation
    join pg_policy as policy on policy.polrelid = relation.oid
)

select
    hanging.what,
    hanging.restore,
    hanging.need
from (
    -- Options that say with whose rights a view reads may not be lost unnoticed.
    select
        10 as place,
        format('option "%s"', option.option_name) as what,
        format(
            'alter %s %s set (%I = %L)',
            relation.kind,
            relation.name,
            option.option_name,
            option.option_value
        ) as restore,
        case when option.option_name in ('security_barrier', 'security_invoker') then 'must' else 'may' end as need
    from relation
    cross join pg_options_to_table(relation.reloptions) as option
    union all
    select
        11,
        format('tablespace "%s"', tablespace.spcname),
        format('alter table %s set tablespace %I', relation.name, tablespace.spcname),
        'may'
    from relation
    join pg_tablespace as tablespace on tablespace.oid = relation.reltablespace
    union all
    select
        12,
        column_.what,
        format('alter table %s alter column %I set storage %s', relation.name, column_.name, storage.word),
        'column'
    from relation
    cross join columns as column_
    join (
        values
            ('p'::"char", 'plain'),
            ('e', 'external'),
            ('x', 'extended'),
            ('m', 'main')
    ) as storage (letter, word) on storage.letter = column_.attstorage
    where column_.has_storage
        and relation.kind = 'table'
    union all
    select
        12,
        column_.what,
        format('alter table %s alter column %I set statistics %s', relation.name, column_.name, column_.attstattarget),
        'column'
    from relation
    cross join columns as column_
    where column_.attstattarget >= 0
    union all
    select
        12,
        column_.what,
        format(
            'alter table %s alter column %I set (%I = %L)',
            relation.name,
            column_.name,
            option.option_name,
            option.option_value
        ),
        'column'
    from relation
    cross join columns as column_
    cross join pg_options_to_table(column_.attoptions) as option
    union all
    select
        13,
        column_.what || ' not null',
        format('alter table %s alter column %I set not null', relation.name, column_.name),
        'column'
    from relation
    cross join columns as column_
    where column_.attnotnull
        and not relation.has_contract
    union all
    select
        13,
        column_.what || ' default',
        format(
            'alter table %s alter column %I set default %s',
            relation.name,
            column_.name,
            pg_get_expr(preset.adbin, preset.adrelid)
        ),
        'column'
    from relation
    cross join columns as column_
    join pg_attrdef as preset on preset.adrelid = relation.oid
        and preset.adnum = column_.attnum
    where not relation.has_contract
        and column_.attgenerated = ''
    union all
    select
        20,
        format('"%s"', index.name),
        case
            when index.constraint_oid is null then pg_get_indexdef(index.oid)
            else format(
                'alter table %s add constraint %I %s',
                relation.name,
                index.constraint_name,
                pg_get_constraintdef(index.constraint_oid)
            )
        end,
        'may'
    from relation
    cross join indexes as index
    where not index.is_ours
    union all
    select
        21,
        format('"%s"', promised.name),
        format('alter table %s add constraint %I %s', relation.name, promised.name, pg_get_constraintdef(promised.oid)),
        'may'
    from relation
    cross join constraints as promised
    union all
    select
        22,
        format('"%s"', trigger.name),
        pg_get_triggerdef(trigger.oid),
        'may'
    from triggers as trigger
    union all
    select
        23,
        format('"%s"', trigger.name),
        format('alter table %s %s trigger %I', relation.name, state.word, trigger.name),
        'quiet'
    from relation
    cross join triggers as trigger
    join (
        values
            ('D'::"char", 'disable'),
            ('R', 'enable replica'),
            ('A', 'enable always')
    ) as state (letter, word) on state.letter = trigger.tgenabled
    union all
    select
        24,
        format('rule "%s"', rule.rulename),
        pg_get_ruledef(rule.oid),
        'may'
    from relation
    join pg_rewrite as rule on rule.ev_class = relation.oid
    where rule.rulename <> '_RETURN'
    union all
    select
        25,
        format('statistics "%s"', statistic.stxname),
        pg_get_statisticsobjdef(statistic.oid),
        'may'
    from relation
    join pg_statistic_ext as statistic on statistic.stxrelid = relation.oid
    union all
    select
        41,
        'comment',
        format('comment on %s is %L', described.object, obj_description(described.oid, described.catalog)),
        'quiet'
    from described
    where obj_description(described.oid, described.catalog) is not null
    union all
    select
        30,
        'comment',
        format(
            'comment on column %s.%I is %L',
            relation.name,
            column_.name,
            col_description(relation.oid, column_.attnum)
        ),
        'quiet'
    from relation
    cross join columns as column_
    where col_description(relation.oid, column_.attnum) is not null
    union all
    -- The last line of the comment says who made the relation now; what stands above it is kept.
    select
        30,
        'comment',
        format(
            'comment on %s %s is %L',
            relation.kind,
            relation.name,
            regexp_replace(relation.comment, '[^\n]*$', '') || coalesce($2, substring(relation.comment from '[^\n]*$'))
        ),
        'quiet'
    from relation
    where relation.comment like e'%\n%'
        or $2 is null
    union all
    select
        40,
        format('policy "%s"', policy.polname),
        format(
            'create policy %I on %s as %s for %s to %s',
            policy.polname,
            relation.name,
            case when policy.polpermissive then 'permissive' else 'restrictive' end,
            command.word,
            (
                select string_agg(coalesce(quote_ident(role.rolname), 'public'), ', ')
                from unnest(policy.polroles) as member (oid)
                left join pg_roles as role on role.oid = member.oid
            )
        )
        || coalesce(' using (' || pg_get_expr(policy.polqual, policy.polrelid) || ')', '')
        || coalesce(' with check (' || pg_get_expr(policy.polwithcheck, policy.polrelid) || ')', ''),
        'must'
    from relation
    join pg_policy as policy on policy.polrelid = relation.oid
    join (
        values
            ('*'::"char", 'all'),
            ('r', 'select'),
            ('a', 'insert'),
            ('w', 'update'),
            ('d', 'delete')
    ) as command (letter, word) on command.letter = policy.polcmd
    union all
    select
        42,
        'row level security',
        format('alter table %s %s row level security', relation.name, security.word),
        'must'
    from relation
    cross join lateral (
        values
            (relation.relrowsecurity, 'enable'),
            (relation.relforcerowsecurity, 'force')
    ) as security (is_set, word)
    where security.is_set
    union all
    select
        43,
        format('publication "%s"', publication.pubname),
        format('alter publication %I add table only %s', publication.pubname, relation.name)
        || coalesce(
            (
                select ' (' || string_agg(quote_ident(published.name), ', ' order by published.attnum) || ')'
                from columns as published
                where published.attnum = any(member.prattrs)
            ),
            ''
        )
        || coalesce(' where (' || pg_get_expr(member.prqual, member.prrelid) || ')', ''),
        'must'
    from relation
    join pg_publication_rel as member on member.prrelid = relation.oid
    join pg_publication as publication on publication.oid = member.prpubid
    union all
    select
        44,
        'security label',
        format(
            'security label for %I on %s %s is %L',
            label.provider,
            case when label.objsubid = 0 then relation.kind else 'column' end,
            relation.name || coalesce('.' || quote_ident(labelled.name), ''),
            label.label
        ),
        'may'
    from relation
    join pg_seclabel as label on label.classoid = 'pg_class'::regclass
        and label.objoid = relation.oid
    left join columns as labelled on labelled.attnum = label.objsubid
    union all
    select
        50,
        'grant',
        format(
            'grant %s on %s to %s%s',
            granted.privilege_type,
            relation.name,
            coalesce(quote_ident(role.rolname), 'public'),
            case when granted.is_grantable then ' with grant option' end
        ),
        'quiet'
    from relation
    cross join aclexplode(relation.relacl) as granted
    left join pg_roles as role on role.oid = granted.grantee
    where granted.grantee <> relation.relowner
    union all
    select
        50,
        'grant',
        format(
            'grant %s (%I) on %s to %s%s',
            granted.privilege_type,
            column_.name,
            relation.name,
            coalesce(quote_ident(role.rolname), 'public'),
            case when granted.is_grantable then ' with grant option' end
        ),
        'column'
    from relation
    cross join columns as column_
    cross join aclexplode(column_.attacl) as granted
    left join pg_roles as role on role.oid = granted.grantee
    where granted.grantee <> relation.relowner
    union all
    select
        60,
        format('owner "%s"', role.rolname),
        format('alter %s %s owner to %I', relation.kind, relation.name, role.rolname),
        'must'
    from relation
    join pg_roles as role on role.oid = relation.relowner
    where role.rolname <> current_user
    union all
    select
        70,
        format('"%s"', index.name),
        format('alter table %s cluster on %I', relation.name, index.name),
        'last'
    from relation
    cross join indexes as index
    where index.indisclustered
    union all
    select
        70,
        'replica identity',
        format('alter table %s replica identity ', relation.name)
        || case relation.relreplident
            when 'f' then 'full'
            when 'n' then 'nothing'
            else format('using index %I', (select index.name from indexes as index where index.indisreplident))
        end,
        'last'
    from relation
    where relation.kind = 'table'
        and relation.relreplident <> 'd'
) as hanging
where hanging.restore is not null
order by
    hanging.place,
    hanging.what

-- name: ungranted
select format(
    'revoke all on %s from %s',
    class.oid::regclass,
    string_agg(distinct coalesce(quote_ident(role.rolname), 'public'), ', ')
)
from pg_class as class
cross join aclexplode(class.relacl) as granted
left join pg_roles as role on role.oid = granted.grantee
where class.oid = to_regclass($1)
    and granted.grantee <> class.relowner
group by class.oid
