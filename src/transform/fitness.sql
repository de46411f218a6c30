-- name: fitness
select
    row_security_active(class.oid) as hides_rows,
    current_user::text as role_name,
    array(
        select rule.rulename::text
        from pg_rewrite as rule
        where rule.ev_class = class.oid
            and rule.ev_type <> '1'
            and rule.ev_enabled in ('O', 'A')
        order by rule.rulename
    ) as rules
from pg_class as class
where class.oid = to_regclass($1)

-- name: triggers
select
    format('alter table %s disable trigger %I', trigger.tgrelid::regclass, trigger.tgname) as disable,
    format(
        'alter table %s enable %strigger %I',
        trigger.tgrelid::regclass,
        case trigger.tgenabled when 'A' then 'always ' else '' end,
        trigger.tgname
    ) as enable
from pg_trigger as trigger
where trigger.tgrelid = to_regclass($1)
    and not trigger.tgisinternal
    and trigger.tgenabled in ('O', 'A')
order by trigger.tgname
