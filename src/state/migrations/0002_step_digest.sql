-- Of what a step did: its SQL and its settings. unimig plan says by it that a model has changed since its last run.
alter table unimig.step add column code_digest text;
