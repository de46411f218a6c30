{{ config(group='money', access='private') }}
select 1 as id
