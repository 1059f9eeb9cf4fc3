"""What all documents share: how they are read, tolerant of other releases, and written, as they were set."""

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SkipValidation, WithJsonSchema

Model = TypeVar("Model", bound=BaseModel)

RecordId = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
saying: ContextVar[Callable[[str], str]] = ContextVar("saying", default=str)  # how sentences are written


def _said(sentence: str) -> str:
    return saying.get()(sentence)


Sentence = Annotated[str, PlainSerializer(_said)]  # in Portuguese, for people; answers may say it in English
Count = Annotated[int, Field(ge=0)]
SCALAR = [{"type": name} for name in ("string", "integer", "number", "boolean", "null")]
# As it is: a decimal keeps every digit.
Scalar = Annotated[
    str | int | float | Decimal | bool | None, SkipValidation, WithJsonSchema({"anyOf": SCALAR})
]


class LateModel(BaseModel):
    """A model whose schema is built when it first judges something: a cold process needs few of them."""

    model_config = ConfigDict(defer_build=True)


class Document(LateModel):
    """A part of a document that is stored: fields that this release does not know are left out.

    A field that older releases do not write has a default, and is not written again where it was not set.
    """

    model_config = ConfigDict(populate_by_name=True)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return the document that the JSON object holds."""
        return built(cls).model_validate(stored)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object: what is set, under the names that are stored and answered."""
        return self.model_dump(by_alias=True, exclude_unset=True)


_building = threading.Lock()  # pydantic's own late building lets two threads meet a class half built


def built(model: type[Model]) -> type[Model]:
    """Return the model ready to judge values."""
    if not model.__pydantic_complete__:
        with _building:
            model.model_rebuild()
    return model
