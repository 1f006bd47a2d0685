-- read: holder
-- Whom a token stands for, in one text, while it does.
SELECT bearer, is_expired FROM bearers WHERE digest = :bearer_digest::bytea;
