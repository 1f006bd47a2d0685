"""What all tables share."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

CODE_POINTS = Text(collation="C")


class Xid8(UserDefinedType[int]):
    """A transaction id that never wraps."""

    cache_ok = True

    def __init__(self, *_: Any, **__: Any) -> None:
        """Reflection hands over arguments that this type has no use for."""

    def get_col_spec(self, **_: Any) -> str:
        return "XID8"


cast("dict[str, Any]", ischema_names)["xid8"] = Xid8


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: TIMESTAMP(timezone=True),
        bytes: LargeBinary,
        uuid.UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def tidy(column: str, length: int) -> CheckConstraint:
    """Stored names are trimmed, NFC and of bounded length, whoever writes them."""
    return CheckConstraint(
        f"{column} IS NFC NORMALIZED AND {column} = btrim({column}) "
        f"AND {column} <> '' AND length({column}) <= {length}",
        name=column,
    )


def created() -> Mapped[datetime]:
    return mapped_column(server_default=func.now())
