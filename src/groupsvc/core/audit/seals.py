"""What a seal says about lines of the change log, so that anyone can check it.

A line is sealed as the JSON text that archives hold, with a line break. Lines of one changeset have
one digest; the statement of a seal has the digest of all of these, and of the seal before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from groupsvc.domain.limits import SMALLEST

BEFORE_ALL: Final = SMALLEST
NOTHING_BEFORE: Final = bytes(32)
ENTRY: Final = 16 + 32  # bytes: the id of a changeset, its digest

PublicKeys = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, slots=True)
class Line:
    seq: int
    changeset_id: UUID
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    id: int
    last_seq: int
    lines: int
    changesets: bytes
    previous: bytes
    sealed_at: datetime
    digest: bytes = b""
    key_id: str | None = None
    signature: bytes | None = None

    def statement(self) -> bytes:
        at = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        return (
            f"groupsvc seal 1\nid {self.id}\nlast_seq {self.last_seq}\nlines {self.lines}\n"
            f"changesets {sha256(self.changesets).hexdigest()}\nprevious {self.previous.hex()}\n"
            f"sealed_at {at}\n"
        ).encode()


def digest_changesets(lines: Iterable[Line]) -> bytes:
    """The id of each changeset with the digest of its lines, in the order of their first lines."""
    found: dict[UUID, list[str]] = {}
    for line in lines:
        found.setdefault(line.changeset_id, []).append(f"{line.text}\n")
    return b"".join(
        each.bytes + sha256("".join(texts).encode()).digest() for each, texts in found.items()
    )


def seal(lines: list[Line], previous: Seal | None, key: Ed25519PrivateKey | None) -> Seal:
    plain = Seal(
        id=previous.id + 1 if previous else 1,
        last_seq=lines[-1].seq,
        lines=len(lines),
        changesets=digest_changesets(lines),
        previous=previous.digest if previous else NOTHING_BEFORE,
        sealed_at=datetime.now(UTC),
    )
    digest = sha256(plain.statement()).digest()
    if key is None:
        return replace(plain, digest=digest)
    signature = key.sign(plain.statement())
    return replace(plain, digest=digest, key_id=name_of_key(key.public_key()), signature=signature)


def fault_of_seal(each: Seal, previous: Seal | None, keys: PublicKeys) -> str | None:
    """What is wrong with a seal itself, if anything is. Without keys no signature is checked."""
    if each.id != (previous.id + 1 if previous else 1):
        return f"seal {each.id} follows seal {previous.id if previous else 0}"
    if each.previous != (previous.digest if previous else NOTHING_BEFORE):
        return f"seal {each.id} is not about the seal before it"
    if sha256(each.statement()).digest() != each.digest:
        return f"seal {each.id} was altered"
    if each.signature is None or not keys:
        was_signed = previous is not None and previous.signature is not None
        return (
            f"seal {each.id} is not signed, as those before were" if keys and was_signed else None
        )
    try:
        keys[each.key_id or ""].verify(each.signature, each.statement())
    except KeyError:
        return f"seal {each.id} is signed with another key: {each.key_id}"
    except InvalidSignature:
        return f"seal {each.id} has a wrong signature"
    return None


def fault_of_lines(each: Seal, lines: list[Line]) -> str | None:
    """The first changeset that is not as it was sealed, if there is one."""
    found = digest_changesets(lines)
    if found == each.changesets:
        return None
    expected, actual = list(_entries(each.changesets)), list(_entries(found))
    sealed_ids, ids = {name for name, _ in expected}, {name for name, _ in actual}
    for was, now in zip_longest(expected, actual):
        if was == now:
            continue
        if now is not None and now[0] not in sealed_ids:
            return f"changeset {now[0]} was added after seal {each.id}"
        if was is not None and was[0] not in ids:
            return f"changeset {was[0]} of seal {each.id} is missing"
        if was is not None:
            return f"changeset {was[0]} of seal {each.id} was altered"
    return f"lines of seal {each.id} are in another order"


def _entries(changesets: bytes) -> Iterator[tuple[UUID, bytes]]:
    for start in range(0, len(changesets), ENTRY):
        entry = changesets[start : start + ENTRY]
        yield UUID(bytes=entry[:16]), entry[16:]


def name_of_key(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Raises ValueError for what is no Ed25519 key in PEM."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 private key")  # noqa: TRY004 - not a type of ours
    return key


def read_public_keys(paths: Iterable[Path]) -> PublicKeys:
    """Raises ValueError for what is no Ed25519 key in PEM."""
    keys: dict[str, Ed25519PublicKey] = {}
    for path in paths:
        key = load_pem_public_key(path.read_bytes())
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError(f"{path} holds no Ed25519 public key")  # noqa: TRY004 - as above
        keys[name_of_key(key)] = key
    return keys
