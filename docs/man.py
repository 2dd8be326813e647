"""kist --experimental-dump-help | python3 docs/man.py FOLDER

Writes manual pages from the command's own definitions of its arguments: kist.1 and one page a verb.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def escaped(text: str) -> str:
    """Text that troff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def names(argument: dict[str, Any]) -> str:
    spelled = [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument.get("names", [])]
    return ", ".join(f"\\fB{escaped(name)}\\fR" for name in sorted(spelled, key=len))


def value(argument: dict[str, Any]) -> str:
    return f"\\fI{escaped(argument.get('valueName', 'value'))}\\fR"


def title(argument: dict[str, Any]) -> str:
    if argument["kind"] == "positional":
        return value(argument) + (" …" if argument["isRepeating"] else "")
    return names(argument) + (" " + value(argument) if argument["kind"] == "option" else "")


def synopsis(command: str, arguments: list[dict[str, Any]], has_verbs: bool) -> str:
    words = [f"\\fB{escaped(command)}\\fR"]
    for argument in arguments:
        text = title(argument)
        words.append(f"[{text}]" if argument["isOptional"] else text)
    return " ".join(words + (["\\fIverb\\fR …"] if has_verbs else []))


def discussion(text: str) -> list[str]:
    """Paragraphs, and the lists of EXAMPLES and ENVIRONMENT line by line."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        heading, *rest = paragraph.split("\n")
        if rest and heading.isupper():
            lines += [f".SH {heading}", ".nf", *(escaped(line.strip()) for line in rest), ".fi"]
        else:
            lines += [".PP", escaped(paragraph)]
    return lines


def page(path: list[str], command: dict[str, Any], version: str) -> list[tuple[str, str]]:
    """The pages of a command and of its verbs: names of files, and their text."""
    path = [*path, command["commandName"]]
    arguments = [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]
    verbs = [verb for verb in command.get("subcommands", []) if verb["commandName"] != "help" and verb.get("shouldDisplay", True)]
    name = "-".join(path)
    lines = [
        f'.TH "{name.upper()}" "1" "" "{version}"',
        ".SH NAME",
        f"{escaped(name)} \\- {escaped(command.get('abstract', '').rstrip('.'))}",
        ".SH SYNOPSIS",
        synopsis(" ".join(path), arguments, bool(verbs)),
        ".SH DESCRIPTION",
        escaped(command.get("abstract", "")),
    ]
    parts = discussion(command.get("discussion", ""))
    split = parts.index(".SH EXAMPLES") if ".SH EXAMPLES" in parts else len(parts)
    lines += parts[:split]
    for heading, kinds in (("ARGUMENTS", ["positional"]), ("OPTIONS", ["option", "flag"])):
        listed = [argument for argument in arguments if argument["kind"] in kinds]
        if listed:
            lines.append(f".SH {heading}")
        for argument in listed:
            lines += [".TP", title(argument), escaped(argument.get("abstract", ""))]
            if argument.get("defaultValue"):
                lines.append(escaped(f"(default: {argument['defaultValue']})"))
    if verbs:
        lines.append(".SH VERBS")
        for verb in verbs:
            lines += [".TP", f"\\fB{escaped(name)}\\-{escaped(verb['commandName'])}\\fR(1)", escaped(verb.get("abstract", ""))]
    lines += parts[split:]
    pages = [(name + ".1", "\n".join(lines) + "\n")]
    for verb in verbs:
        pages += page(path, verb, version)
    return pages


def main() -> None:
    folder = Path(sys.argv[1])
    version = sys.argv[2] if len(sys.argv) > 2 else "kist"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in page([], json.load(sys.stdin)["command"], version):
        (folder / name).write_text(text, encoding="utf-8")


main()
