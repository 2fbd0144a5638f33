"""Changes to bytes, text and trees, from plausible ones to nonsense."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from random import Random
from typing import Any
from xml.etree import ElementTree

NUMBERS = ["nan", "inf", "-inf", "0", "-1", "1", "2", "1e308", "-1e308", "1e400", "1e-320", "9" * 400, "-" + "9" * 5000,
           "0x" + "f" * 300, "", "null", "true", "999", "9999", "-9999", "2000000000", "1,5", "1_000", "1e", "4294967296",
           "-2147483649", "18446744073709551616", "0.1", "1000000"]  # fmt: skip
WORDS = ["", "../../../etc/passwd", "../secret.stl", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1/x", "\x00", "\x1b[31m",
         "[red]x[/red]", "[/]", "'", '"', "driver's \"seat\"", "é" * 50, "\ud7ff", "%s%n", "${a}", "$a", "*", "&amp;", "&a;", "a.b.c",
         " " * 500, "x" * 10_000, "none", "true", "world", "-", "--", "]]>", "<a>", "{", "[", "\n", "\\"]  # fmt: skip
_NUMBER = re.compile(r"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?")
_QUOTED = re.compile(r"(['\"])([^'\"\n]*)\1")


def bytes_changed(data: bytes, chance: Random) -> tuple[bytes, str]:
    """Flip, change, cut, repeat, swap or insert bytes once to a few times."""
    result, done = bytearray(data), []
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        if not result:
            break
        at = chance.randrange(len(result))
        size = min(chance.choice([1, 2, 4, 8, 64, 1024]), len(result) - at)
        match chance.randrange(8):
            case 0 | 1:
                bit = chance.randrange(8)
                result[at] ^= 1 << bit
                done.append(f"bit {bit} of byte {at}")
            case 2:
                result[at : at + size] = chance.randbytes(size)
                done.append(f"{size} bytes at {at}")
            case 3:
                result[at : at + size] = bytes([chance.choice([0, 255, 127, 128, 1])]) * size
                done.append(f"{size} bytes at {at} alike")
            case 4:
                del result[at:]
                done.append(f"cut off at {at}")
            case 5:
                del result[at : at + size]
                done.append(f"{size} bytes at {at} gone")
            case 6:
                result[at:at] = result[at : at + size] * chance.choice([1, 2, 100])
                done.append(f"{size} bytes at {at} repeated")
            case 7:
                other = chance.randrange(len(result))
                result[at : at + size] = result[other : other + size]
                done.append(f"{size} bytes of {other} at {at}")
    return bytes(result[:20_000_000]), ", ".join(done)


def text_changed(text: str, chance: Random) -> tuple[str, str]:
    """Change numbers, quoted words, lines or letters once to a few times."""
    done = []
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        text, what = chance.choice(_TEXT_CHANGES)(text, chance)
        done.append(what)
    return text[:20_000_000], ", ".join(done)


def _number(text: str, chance: Random) -> tuple[str, str]:
    found = list(_NUMBER.finditer(text))
    if not found:
        return text, "nothing"
    match = chance.choice(found)
    new = chance.choice([*NUMBERS, f"-{match[0]}", f"{match[0]}0", f"{match[0]}.5", f"{match[0]} m", f"{match[0]}e9"])
    return text[: match.start()] + new + text[match.end() :], f"{match[0]} at {match.start()} -> {new[:40]!r}"


def _quoted(text: str, chance: Random) -> tuple[str, str]:
    found = list(_QUOTED.finditer(text))
    if not found:
        return text, "nothing"
    match = chance.choice(found)
    new = chance.choice([*WORDS, *NUMBERS, chance.choice(found)[2]])
    return text[: match.start(2)] + new + text[match.end(2) :], f"{match[2][:30]!r} -> {new[:40]!r}"


def _line(text: str, chance: Random) -> tuple[str, str]:
    lines = text.splitlines(keepends=True)
    if len(lines) < 2:
        return _span(text, chance)
    at = chance.randrange(len(lines))
    what = chance.choice(["gone", "twice", "moved", "many times", "cut"])
    line = lines.pop(at)
    if what == "twice":
        lines[at:at] = [line, line]
    elif what == "moved":
        lines.insert(chance.randrange(len(lines) + 1), line)
    elif what == "many times":
        lines[at:at] = [line] * min(2000, 1 + 2_000_000 // len(line))
    elif what == "cut":
        lines.insert(at, line[: chance.randrange(len(line))])
    return "".join(lines), f"line {at + 1} {what}"


def _span(text: str, chance: Random) -> tuple[str, str]:
    if not text:
        return text, "nothing"
    at = chance.randrange(len(text))
    end = min(at + chance.choice([1, 1, 2, 5, 20, 200]), len(text))
    what = chance.choice(["gone", "twice", "word", "letter", "swapped", "cut off"])
    new = {
        "gone": "", "twice": text[at:end] * 2, "word": chance.choice(WORDS), "letter": chr(chance.randrange(32, 127)),
        "swapped": text[at:end][::-1], "cut off": text[at:end],
    }[what]  # fmt: skip
    return text[:at] + new + (
        "" if what == "cut off" else text[end:]
    ), f"{end - at} letters at {at} {what} {new[:20]!r}"


def _nested(text: str, chance: Random) -> tuple[str, str]:
    at = chance.randrange(len(text) + 1)
    piece, count = chance.choice(["[", "{", "(", "<a>", '{"a":', "[[", "- "]), chance.choice([10, 300, 100_000])
    return text[:at] + piece * count + text[at:], f"{count} x {piece!r} at {at}"


_TEXT_CHANGES: list[Callable[[str, Random], tuple[str, str]]] = [
    _number, _number, _number, _number, _quoted, _quoted, _line, _line, _span, _span, _nested
]  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where each value of nested tables and lists is."""
    found = []
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


def tree_changed(tree: Any, chance: Random) -> tuple[Any, str]:
    """Change one to three values of nested tables and lists: another number, another type, gone, twice, elsewhere."""
    tree, done = copy.deepcopy(tree), []
    for _ in range(chance.choice([1, 1, 2, 3])):
        all_places = places(tree)
        if not all_places:
            break
        path = chance.choice(all_places)
        table = tree
        for key in path[:-1]:
            table = table[key]
        value = table[path[-1]]
        what = chance.choice(["value", "value", "value", "value", "gone", "other", "renamed", "twice", "deep"])
        if what == "gone":
            del table[path[-1]]
        elif what == "renamed" and isinstance(table, dict):
            table[chance.choice([*WORDS, f"{path[-1]}x"])] = table.pop(path[-1])
        elif what == "twice" and isinstance(table, list):
            table[path[-1] : path[-1]] = [value] * chance.choice([1, 2, 3000])
        elif what == "deep":
            for _ in range(chance.choice([1, 2, 100, 300])):
                value = [value] if chance.random() < 0.5 else {"a": value}
            table[path[-1]] = value
        elif what == "other":
            other = tree
            for key in chance.choice(all_places):
                try:
                    other = other[key]
                except (KeyError, IndexError, TypeError):
                    break
            table[path[-1]] = copy.deepcopy(other) if other is not tree else None
        else:
            table[path[-1]] = value_changed(value, chance)
        done.append(
            f"{'.'.join(map(str, path))[:80]} {what} {str(table.get(path[-1]) if isinstance(table, dict) else '')[:60]!r}"
        )
    return tree, ", ".join(done)


def value_changed(value: Any, chance: Random) -> Any:
    """Return something in place of a value: near it, odd, or of another type."""
    if isinstance(value, bool):
        return chance.choice([not value, 0, 1, 2, "true", None])
    if isinstance(value, int | float):
        if chance.random() < 0.5:
            return type(value)(value * chance.choice([0, 0.1, 0.5, 0.9, 1.1, 2, -1]))
        return chance.choice([0, -1, 1, 2, 7, 0.5, 1e-9, -1e-3, 1e6, 1e30, 1e300, 2**31, 2**63, 2**64, 10**40, 10**400, float("nan"),
                              float("inf"), str(value), f"{value} ms", [value], None, {}, True])  # fmt: skip
    if isinstance(value, str):
        return chance.choice(
            [*WORDS, *NUMBERS, value + "x", value.upper(), value[: len(value) // 2], 5, [value], None, {}]
        )
    if isinstance(value, list):
        return chance.choice([[], value[: len(value) // 2], value + value, value[::-1], [None] * len(value), "list", 0,
                              {"a": value}, [value], ["x"] * 3, value * 300 if len(value) < 50 else value])  # fmt: skip
    if isinstance(value, dict):
        return chance.choice([{}, [], "table", 5, None, {**value, "unheard_of": 1}, [value], {k: None for k in value}])
    return chance.choice([0, "", [], {}, 1.5, "x"])


def xml_changed(text: str, chance: Random) -> tuple[str, str]:
    """Change one to three elements or attributes: another text, gone, many times, elsewhere, another name."""
    root = ElementTree.fromstring(text)
    done = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        parents = [(parent, child) for parent in root.iter() for child in parent]
        if not parents:
            break
        parent, element = chance.choice(parents)
        what = chance.choice(
            ["text", "text", "attribute", "attribute", "gone", "many", "moved", "renamed", "swapped", "deep"]
        )
        others = [child for _, child in parents]
        if what == "text":
            element.text = _legal(chance.choice([*NUMBERS, *WORDS, *(e.text or "" for e in others)]))
        elif what == "attribute":
            key = chance.choice([*element.attrib, "name", "pose", "relative_to", "type"])
            values = [value for other in others for value in other.attrib.values()]
            element.set(key, _legal(chance.choice([*NUMBERS, *WORDS, *values])))
        elif what == "gone":
            parent.remove(element)
        elif what == "many":
            parent.extend(copy.deepcopy(element) for _ in range(chance.choice([1, 3, 300])))
        elif what == "moved":
            chance.choice(others).append(copy.deepcopy(element))
        elif what == "renamed":
            element.tag = chance.choice([*(other.tag for other in others), "include", "banana"])
        elif what == "swapped":
            other = chance.choice(others)
            element.attrib, other.attrib = other.attrib, element.attrib
        else:
            inner = element
            for _ in range(chance.choice([2, 20, 400])):
                inner = ElementTree.SubElement(inner, element.tag, element.attrib)
        done.append(f"<{element.tag}> {what}")
    return ElementTree.tostring(root, encoding="unicode"), ", ".join(done)


def _legal(text: str) -> str:
    """Return a text without the characters that XML can't hold even as entities."""
    return "".join(letter for letter in text if letter in "\t\n\r" or ord(letter) >= 32)
