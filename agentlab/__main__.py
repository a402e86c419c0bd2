"""The ``agentlab`` command."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from agentlab import __version__
from agentlab.core.errors import AgentLabError

DISTRIBUTION = "agentlab-notebook"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; an error of ours is one line on stderr, and the exit status 1."""
    asked = parser().parse_args(argv)
    try:
        asked.command(asked)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it, as ``head`` does, has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except AgentLabError as error:
        print(f"agentlab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="agentlab", description="Agents you can look at.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="command")

    each = commands.add_parser("demo", help="run the quickstart notebook, live")
    each.set_defaults(command=run_demo)
    each = commands.add_parser("info", help="print what a bug report needs")
    each.set_defaults(command=print_info)

    each = commands.add_parser("example", help="run an example; without a name, list them")
    each.add_argument("name", nargs="?", help="which one")
    each.set_defaults(command=run_example)
    each = commands.add_parser("show", help="write a journal as a page that needs nothing else")
    each.add_argument("file", type=Path, help="a journal")
    each.add_argument("-o", "--output", type=Path, help="by default beside it, as .html")
    each.set_defaults(command=show_journal)

    models = commands.add_parser("models", help="list, fetch and find local models")
    verbs = models.add_subparsers(required=True, metavar="verb")
    each = verbs.add_parser("list", help="list the models known by name")
    each.set_defaults(command=list_models)
    each = verbs.add_parser("pull", help="bring a model here")
    each.add_argument("name", help="a name of the list, a URL, or hf:<owner>/<repo>/<file>")
    each.add_argument("--sha256", help="what the file's digest must be")
    each.set_defaults(command=pull_model)
    each = verbs.add_parser("path", help="print where a model's file lies")
    each.add_argument("name", help="as for pull")
    each.set_defaults(command=print_path)
    return top


def run_demo(_: argparse.Namespace) -> None:
    """Run the quickstart notebook with the embedded model."""
    from agentlab.demo import demo

    demo()


def run_example(asked: argparse.Namespace) -> None:
    """Run an example, or print a line each."""
    from agentlab.examples import examples, headline, run

    if asked.name:
        return run(asked.name)
    for name, path in examples().items():
        print(f"{name:26}{headline(path)}")
    return None


def show_journal(asked: argparse.Namespace) -> None:
    """Write the sessions and the trace of a journal as a page, and print where it lies."""
    from agentlab.display import saved
    from agentlab.store.loading import load, sessions

    trace = load(asked.file)
    page = asked.output or asked.file.with_suffix(".html")
    print(saved(page, asked.file.name, *sessions(trace), trace))


def print_info(_: argparse.Namespace) -> None:
    """Print versions, and which extras are whole."""
    print(f"agentlab {__version__}")
    print(f"python {platform.python_version()} on {platform.platform()}")
    try:
        needed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        needed = []
        print("not installed: run from a checkout")
    for extra, names in sorted(extras(needed).items()):
        found = {name: version_of(name) for name in names}
        missing = [name for name, version in found.items() if version is None]
        state = f"missing {', '.join(missing)}" if missing else "whole"
        print(f"\n{extra or 'base'}: {state}")
        for name, version in found.items():
            if version:
                print(f"  {name} {version}")


def extras(needed: Sequence[str]) -> dict[str, list[str]]:
    """Sort requirements (``name>=1; extra == "lab"``) by the extra that brings them."""
    found: dict[str, list[str]] = {}
    for each in needed:
        what, _, condition = each.partition(";")
        name = what.strip().split("[")[0].split(" ")[0]
        for mark in "<>=!~":
            name = name.partition(mark)[0]
        extra = condition.partition("extra ==")[2].strip().strip("\"'")
        if name != DISTRIBUTION:
            found.setdefault(extra, []).append(name)
    return found


def version_of(distribution: str) -> str | None:
    """Give the version that is installed, if one is."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def list_models(_: argparse.Namespace) -> None:
    """Print a line a model: name, size, kind, licence, and where it is."""
    from agentlab.models.catalogue import CATALOGUE, DEFAULT, cache_dir, look_up
    from agentlab.models.progress import megabytes

    for entry in CATALOGUE.values():
        path = look_up(entry.name).path
        where = str(path) if path.is_file() else "comes with the extra 'local'"
        if not (entry.installed or path.is_file()):
            where = f"agentlab models pull {entry.name}"
        name = f"{entry.name}{' (default)' if entry.name == DEFAULT else ''}"
        print(f"{name:24}{megabytes(entry.size):5} MB  {entry.kind:6}{entry.licence:14}{where}")
    for path in sorted(cache_dir().glob("*.gguf")):
        if path.stem not in CATALOGUE:
            print(f"{path.stem:24}{megabytes(path.stat().st_size):5} MB  {'':20}{path}")


def pull_model(asked: argparse.Namespace) -> None:
    """Bring a model here and print where it lies."""
    from agentlab.models.pull import pull

    print(pull(asked.name, sha256=asked.sha256))


def print_path(asked: argparse.Namespace) -> None:
    """Print where a model's file lies; it has to be here."""
    from agentlab.models.catalogue import look_up
    from agentlab.models.pull import at_hand

    print(at_hand(look_up(asked.name)))


if __name__ == "__main__":
    sys.exit(main())
