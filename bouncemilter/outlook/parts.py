"""Writing the message that a `.msg` file stands for: MIME (RFC 2046) whose content can't be taken for structure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Final

_FIELD: Final = re.compile(r"^([A-Za-z][\w.-]{0,79})[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*\n?", re.MULTILINE | re.ASCII)
_STRUCTURE: Final = frozenset(("content-type", "content-transfer-encoding", "content-disposition", "mime-version"))
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}", re.ASCII)


def fields(block: str) -> str:
    """The fields of a header block that do not say how the message was built, with `\\n` line ends.

    A field begins with a letter, and a continuation with white space: none looks like a delimiter.
    """
    block = block.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n").partition("\n\n")[0]
    found = (match[0].rstrip("\n") + "\n" for match in _FIELD.finditer(block) if match[1].lower() not in _STRUCTURE)
    return "".join(found)


def field(name: str, value: str) -> str:
    """A field with a cleaned value; nothing where that is empty."""
    return f"{name}: {value}\n" if value else ""


def media_type(written: str, otherwise: str) -> str:
    """A content type without parameters, if it is one."""
    folded = written.strip().lower()
    return folded if _TYPE.fullmatch(folded) else otherwise


def part(content_type: str, content: bytes, name: str = "") -> bytes:
    """A leaf, its content in base64. `name` makes it an attachment."""
    head = f"Content-Type: {content_type}\nContent-Transfer-Encoding: base64\n"
    if name:
        quoted = name.replace("\\", "_").replace('"', "_")
        head += f'Content-Disposition: attachment; filename="{quoted}"\n'
    return head.encode("utf-8") + b"\n" + base64.encodebytes(content)


def message(inner: bytes) -> bytes:
    """A whole message that was rebuilt, too, as a part."""
    return b"Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n" + inner


def multipart(header: str, content_type: str, parts: Iterable[bytes], depth: int) -> bytes:
    """A message of these parts. `depth` says how many messages it lies in: each has a boundary of its own."""
    boundary = f"--=_outlook.{depth}"
    structure = f'MIME-Version: 1.0\nContent-Type: {content_type}; boundary="{boundary[2:]}"\n\n'
    body = b"".join(f"{boundary}\n".encode() + each.rstrip(b"\n") + b"\n\n" for each in parts)
    return (header + structure).encode("utf-8", "replace") + body + f"{boundary}--\n".encode()
