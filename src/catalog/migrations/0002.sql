-- When an entry left a scope: what it does later is no change of the scope's page.
ALTER TABLE members ADD COLUMN parted INTEGER;
