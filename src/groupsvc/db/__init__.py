"""The engine, the meaning of broken constraints, migrations and the embedded server."""
