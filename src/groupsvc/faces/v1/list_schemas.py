"""Lists that are made or ordered as a whole: many groups at once, an order by name.

Two of the bodies go to addresses that take another one as well. Which is meant follows from a
member that only one of them has, so that errors are told of that one alone.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from fastapi import Body
from pydantic import BaseModel, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from groupsvc.domain.name_patterns import HIGHEST, MOST_NAMES
from groupsvc.domain.natural_order import ByName
from groupsvc.faces.v1.schemas import Capacity, GivenName, GroupIn, Id, Input, OrderIn, Output


class GroupPatternIn(Input):
    """`count` groups, or enough of them for `size` members each."""

    pattern: Annotated[
        GivenName,
        Field(
            description="`#` is a number, `##` one of two digits at least, `@` a letter: one of"
            " these, once. `\\#` and `\\@` are the characters themselves",
            examples=["TD #"],
        ),
    ]
    first: Annotated[
        int,
        Field(alias="from", ge=0, le=HIGHEST, description="The first number; of letters, 1 is A"),
    ] = 1
    count: Annotated[int | None, Field(ge=1, le=MOST_NAMES, description="How many groups")] = None
    size: Annotated[
        int | None,
        Field(
            ge=1,
            le=HIGHEST,
            description="Instead of `count`: most members of each, for all active enrollments",
        ),
    ] = None
    capacity: Annotated[Capacity | None, Field(description="Of each group that is created")] = None
    dry_run: Annotated[bool, Field(description="Only show the names")] = False

    @model_validator(mode="after")
    def one_number(self) -> Self:
        if (self.count is None) == (self.size is None):
            raise PydanticCustomError("count_or_size", "Send either `count` or `size`")
        return self


class PatternedGroupOut(Output):
    name: Annotated[str, Field(examples=["TD 1"])]
    result: Annotated[
        Literal["created", "exists"],
        Field(description="A group that exists counts, and stays as it is"),
    ]
    group_id: Annotated[
        Id | None, Field(description="Null in a dry run, for what is not there yet")
    ]


class GroupPatternOut(Output):
    written: Annotated[bool, Field(description="False for a dry run, and when all exist")]
    counts: dict[str, int]
    groups: list[PatternedGroupOut]


class OrderByNameIn(Input):
    by: Annotated[
        ByName, Field(description="Numbers by their value, letters without case and accents")
    ]


def _told_by(member: str, marked: type[BaseModel], plain: type[BaseModel]) -> WrapValidator:
    def validate(body: Any, _: ValidatorFunctionWrapHandler) -> BaseModel:
        kind = marked if isinstance(body, Mapping) and member in body else plain
        return kind.model_validate(body, from_attributes=True)  # As FastAPI does.

    return WrapValidator(validate)


def _single_alone(schema: dict[str, Any]) -> None:
    """Generated clients are to know one operation by one body and one answer."""
    schema |= schema.pop("anyOf")[0]


AnyOrderIn = Annotated[OrderIn | OrderByNameIn, _told_by("by", OrderByNameIn, OrderIn)]
NewGroups = Annotated[
    GroupIn | GroupPatternIn,
    _told_by("pattern", GroupPatternIn, GroupIn),
    Body(json_schema_extra=_single_alone),
]


def order_of(body: OrderIn | OrderByNameIn) -> list[int] | ByName:
    return body.by if isinstance(body, OrderByNameIn) else body.ids
