"""The settings of the group editor."""

from pydantic import Field
from pydantic_settings import BaseSettings


class EditorSettings(BaseSettings):
    ui: bool = Field(default=True, description="Serve the group editor at `/ui`")
