"""What all data models have in common."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A model whose validator is made when it is first used: each call starts anew, and few are."""

    model_config = ConfigDict(defer_build=True)
