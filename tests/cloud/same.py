"""Whether the templates in a folder say the same in their two languages each: `tests/cloud/lint` runs it.

CloudFormation's YAML and JSON are compared as a whole, functions in their long form; of Terraform's HCL and
JSON, every block's name and arguments.
"""

import json
import sys
from pathlib import Path
from typing import Any

import hcl2
import yaml


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is `{"Fn::Sub": "x"}`."""


def function(loader: Loader, name: str, node: yaml.ScalarNode) -> dict[str, Any]:
    """A short form in its long one."""
    text = loader.construct_scalar(node)
    if name == "Ref":
        return {"Ref": text}
    return {f"Fn::{name}": text.split(".") if name == "GetAtt" else text}


Loader.add_multi_constructor("!", function)


def bare(text: str) -> str:
    """A name without the quotes that the reader of HCL leaves around it."""
    return text.strip('"')


def arguments(body: dict[str, Any]) -> dict[str, Any]:
    """The names of what stands in a block, and in the blocks within it."""
    found: dict[str, Any] = {}
    for name, value in body.items():
        if not name.startswith("__"):
            inner = [arguments(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []
            found[bare(name)] = inner
    return found


def labels(kind: str) -> int:
    """How many names a block of this kind has."""
    return {"resource": 2, "data": 2, "variable": 1, "output": 1}.get(kind, 0)


def blocks(tree: dict[str, Any], kind: str) -> dict[str, Any]:
    """Every block of a kind by its names, from JSON or from what the reader of HCL makes."""
    found: dict[str, Any] = {}
    for entry in tree[kind] if isinstance(tree[kind], list) else [tree[kind]]:
        level = {(): entry}
        for _ in range(labels(kind)):
            level = {
                (*names, bare(name)): body
                for names, named in level.items()
                for name, body in named.items()
                if not name.startswith("__")
            }
        found |= {".".join(names): arguments(body) for names, body in level.items()}
    return found


def differences(folder: Path) -> list[str]:
    """What is not the same, in words."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        other = path.with_suffix(".json")
        if yaml.load(path.read_text(), Loader) != json.loads(other.read_text()):  # noqa: S506, safe with tags
            found.append(f"{path.name} is not {other.name}")
    for path in sorted(folder.glob("*.tf")):
        other = path.with_suffix(".tf.json")
        with path.open() as file:
            tree = hcl2.load(file)
        for kind in ("resource", "data", "variable", "output"):
            if blocks(tree, kind) != blocks(json.loads(other.read_text()), kind):
                found.append(f"{path.name} has another {kind} than {other.name}")
    return found


if __name__ == "__main__":
    different = differences(Path(sys.argv[1]))
    print("\n".join(different), end="\n" if different else "")
    sys.exit(bool(different))
