-- primary read: current_access
-- One row while nothing has been revoked, disabled, withdrawn or renamed since it was of that version.
SELECT true AS stands FROM access_version v WHERE v.version = :access_version::uuid;
