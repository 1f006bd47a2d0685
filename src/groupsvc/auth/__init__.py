"""From credentials to a principal. Nothing here knows FastAPI or SQL."""
