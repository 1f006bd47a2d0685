-- write: act
SELECT set_config('groupsvc.actor', :actor::text, true), set_config('groupsvc.request_id', :request_id::text, true), set_config('groupsvc.cause', :cause::text, true);
