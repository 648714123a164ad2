-- The session that a family of refresh tokens goes on in after its user entered another
-- organization: a spent token that comes again ends that one.
alter table sessions add column continued_by text;
