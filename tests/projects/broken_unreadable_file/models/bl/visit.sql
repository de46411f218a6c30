select 'ÿþ' as id
