insert into app.person (id)
select id from {{ source('svp', 'labors') }}
