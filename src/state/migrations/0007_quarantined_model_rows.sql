-- Rows of models that the application's table would refuse, beside values that copies refused: these have no batch, and a
-- rule of the table that they break.
alter table unimig.quarantine alter column batch_id drop not null;
alter table unimig.quarantine add column rule text;
alter table unimig.quarantine add column constraint_name text;
