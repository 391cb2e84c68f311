-- Whether an author or a person withdrew the entry before its seed was gone; until now an
-- inode of 0 said so.
ALTER TABLE entries ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
UPDATE entries SET judged = 1 WHERE inode = 0;
-- Whether the folder of its seed, an index, held no other seed when it was published.
ALTER TABLE entries ADD COLUMN bundle INTEGER NOT NULL DEFAULT 0;
