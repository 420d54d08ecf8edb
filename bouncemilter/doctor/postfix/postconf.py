"""What Postfix says of itself: parameters, services and look-ups, by its own commands (postconf(1), postmap(1))."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from bouncemilter.doctor.command import Run


@dataclass(frozen=True, slots=True)
class Service:
    """A service of master.cf (master(5))."""

    name: str
    kind: str
    """`inet`, `unix`, `fifo`, `pass`."""
    chrooted: bool
    command: str
    """The daemon: `smtpd`, `lmtp`."""
    options: Mapping[str, str]
    """Its `-o name=value`."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Parameters with their references expanded, services in the order of master.cf."""

    parameters: Mapping[str, str]
    services: tuple[Service, ...]
    config_directory: str = ""
    """Given to the commands by -c; empty: Postfix's default."""

    def value(self, name: str, service: Service | None = None) -> str:
        """A parameter, as `service` sees it; empty where it is unset or unknown."""
        if service is not None and name in service.options:
            return service.options[name]
        return self.parameters.get(name, "")

    def service(self, name: str) -> Service | None:
        """The delivery agent of that name (`unix`), which a transport table names."""
        return next((each for each in self.services if each.kind == "unix" and each.name == name), None)

    def running(self, command: str) -> tuple[Service, ...]:
        """The services whose daemon is `command`."""
        return tuple(each for each in self.services if each.command == command)

    def path(self, name: str, service: Service) -> PurePosixPath:
        """Where a socket that the configuration calls `name` lies, seen from outside a chroot."""
        queue = PurePosixPath(self.value("queue_directory"))
        return queue / name.lstrip("/") if service.chrooted else queue / name

    async def lookup(self, run: Run, parameter: str, keys: tuple[str, ...]) -> str:
        """The answer of the tables in `parameter` to the first of `keys` that one of them knows; empty if none does."""
        return await self.ask(run, tuple(split_list(self.value(parameter))), keys)

    async def ask(self, run: Run, tables: tuple[str, ...], keys: tuple[str, ...]) -> str:
        """The same of the tables among `tables`, `type:name` each.

        Pattern tables are asked for whole addresses only, as Postfix does (regexp_table(5), pcre_table(5)).
        """
        for key in keys:
            for table in tables:
                if ":" not in table:
                    continue
                if "@" not in key and table.removeprefix("proxy:").startswith(("regexp:", "pcre:")):
                    continue
                found = await run(("postmap", *self._directory(), "-q", key, table), b"")
                if found.code == 0 and found.out.strip():
                    return found.out.strip()
        return ""

    async def lists(self, run: Run, parameter: str, domain: str) -> bool:
        """Whether a list of domains (`mydestination`) holds `domain`, literally or by a table."""
        items = [each.lower() for each in split_list(self.value(parameter))]
        return domain in items or bool(await self.lookup(run, parameter, (domain,)))

    def _directory(self) -> tuple[str, ...]:
        return ("-c", self.config_directory) if self.config_directory else ()


async def read(run: Run, config_directory: str = "") -> Facts | None:
    """What Postfix says; None where there is none, or it has no configuration."""
    directory = ("-c", config_directory) if config_directory else ()
    parameters = await run(("postconf", *directory, "-x"), b"")
    services = await run(("postconf", *directory, "-M"), b"")
    if parameters.code != 0 or services.code != 0:
        return None
    values = parse_parameters(parameters.out)
    old = values.get("compatibility_level", "0").partition(".")[0] in ("", "0")  # master(5), the chroot column
    return Facts(values, tuple(parse_services(services.out, chroot_by_default=old)), config_directory)


def parse_parameters(text: str) -> dict[str, str]:
    """The output of `postconf -x`: `name = value`, one a line."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_services(text: str, *, chroot_by_default: bool = False) -> Iterator[Service]:
    """The output of `postconf -M`: eight columns and options, one service a line."""
    for line in text.splitlines():
        columns = split_list(line, commas=False)
        if len(columns) < 8:
            continue
        options = (each.strip("{ }").partition("=") for flag, each in itertools.pairwise(columns) if flag == "-o")
        yield Service(
            name=columns[0],
            kind=columns[1],
            chrooted=columns[4] == "y" or (columns[4] == "-" and chroot_by_default),
            command=columns[7],
            options={name.strip(): value.strip() for name, _, value in options},
        )


def split_list(value: str, *, commas: bool = True) -> list[str]:
    """The items of a list, parted by white space and (in main.cf) commas; `{ … }` is one item (postconf(5))."""
    items, depth = [""], 0
    for char in value:
        depth += (char == "{") - (char == "}")
        if depth <= 0 and (char.isspace() or (commas and char == ",")):
            items.append("")
        else:
            items[-1] += char
    return [each for each in items if each]
