-- A feed's version is the moment it was read: serving one writes nothing.
drop table revocation_feeds;
