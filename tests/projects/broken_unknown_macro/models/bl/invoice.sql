select 1 as id, {{ cent('500') }} as amount
