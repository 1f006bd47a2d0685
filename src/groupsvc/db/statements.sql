-- read: holder
-- Whom a token stands for, in one text, while it does.
SELECT bearer, is_expired FROM bearers WHERE key = :bearer_key::bytea;
