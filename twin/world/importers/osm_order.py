"""OpenStreetMap files as editors and query tools write them: ways before nodes, negative ids, any order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Disorder:
    """What of a file osmium's assembly of areas can't take, which wants nodes, ways, relations with rising ids."""

    above: int  # the highest id; a negative id -n becomes above + n
    unsorted: bool
    negative: bool

    def __bool__(self) -> bool:
        return self.unsorted or self.negative

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look through a file."""
        import osmium

        last, above, unsorted, negative = (0, 0), 0, False, False
        entity: Any
        for entity in osmium.FileProcessor(str(path)):
            here = (_rank(entity), entity.id)
            unsorted, negative = unsorted or here < last, negative or entity.id < 0
            last, above = here, max(above, entity.id)
        return cls(above, unsorted, negative)


def in_order(path: Path, target: Path, disorder: Disorder) -> None:
    """Write the nodes, ways and relations of a file with rising, positive ids; of equal ids the last one."""
    import osmium

    def positive(number: int) -> int:
        return number if number >= 0 else disorder.above - number

    kinds: tuple[dict[int, Any], ...] = ({}, {}, {})
    entity: Any
    for entity in osmium.FileProcessor(str(path)):
        rank, number, tags = _rank(entity), positive(entity.id), [(tag.k, tag.v) for tag in entity.tags]
        if rank == 0:
            if entity.location.valid():
                kinds[0][number] = {"location": (entity.location.lon, entity.location.lat), "tags": tags}
        elif rank == 1:
            kinds[1][number] = {"nodes": [positive(node.ref) for node in entity.nodes], "tags": tags}
        else:
            members = [(member.type, positive(member.ref), member.role) for member in entity.members]
            kinds[2][number] = {"members": members, "tags": tags}
    made = (osmium.osm.mutable.Node, osmium.osm.mutable.Way, osmium.osm.mutable.Relation)
    with osmium.SimpleWriter(str(target)) as writer:
        for entries, kind, add in zip(
            kinds, made, (writer.add_node, writer.add_way, writer.add_relation), strict=True
        ):
            for number in sorted(entries):
                add(kind(id=number, version=1, **entries[number]))


def _rank(entity: Any) -> int:
    return 0 if entity.is_node() else 1 if entity.is_way() else 2
