{{ config(meta={'key_column': 'product'}) }}
select * from (values ('pen', 1, 5), ('pen', 5, 9), ('ink', 2, 3)) as v (product, low, high)
