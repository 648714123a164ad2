-- Rises with every change of a member's roles, so that two administrators do not undo each other.
alter table members add column version bigint not null default 1;
