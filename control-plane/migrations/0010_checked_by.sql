-- The engine that compiled a bundle and ran its tests, with its version; empty: not known any more.
alter table bundles add column checked_by text not null default '';
