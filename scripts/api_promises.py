"""Write down what version 1 of the API promises: every operation, and every field of every answer with its type.

  python scripts/api_promises.py      adds what is new to tests/api/v1.json; refuses to take away or to change

A test compares the file with the application. What stands in it stays for as long as the address says v1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "tests" / "api" / "v1.json"
METHODS = ("get", "post", "put", "patch", "delete")


def typed(schema: dict[str, Any]) -> str:
    """Return the type of a field in one word or a few."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(sorted(typed(value) for value in schema["anyOf"]))
    kind = str(schema.get("type", "any"))
    return f"list of {typed(schema.get('items', {}))}" if kind == "array" else kind


def promised(document: dict[str, Any]) -> dict[str, Any]:
    """Return operations, with who may call them and their parameters, and the fields of answers with their types."""
    operations = {}
    answers: set[str] = set()
    for path, methods in document["paths"].items():
        if not path.startswith("/api/v1"):
            continue
        for method in METHODS:
            operation = methods.get(method)
            if operation is None:
                continue
            names = sorted(row["name"] for row in operation.get("parameters", []))
            operations[f"{method.upper()} {path}"] = {"role": operation.get("x-role", "public"), "parameters": names}
            answers |= refs({s: a for s, a in operation["responses"].items() if s.startswith("2")})
    schemas = document["components"]["schemas"]
    waiting, fields = list(answers), dict[str, dict[str, str]]()
    while waiting:
        name = waiting.pop()
        if name not in fields and name in schemas:
            fields[name] = {field: typed(value) for field, value in schemas[name].get("properties", {}).items()}
            waiting += refs(schemas[name])
    return {"operations": dict(sorted(operations.items())), "fields": dict(sorted(fields.items()))}


def refs(value: Any) -> set[str]:
    """Return the names of the schemas that something refers to."""
    if isinstance(value, list):
        return {name for item in value for name in refs(item)}
    if not isinstance(value, dict):
        return set()
    results = {str(item).rpartition("/")[2] for key, item in value.items() if key == "$ref"}
    return results | {name for item in value.values() for name in refs(item)}


def broken(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what was promised and is not kept."""
    complaints = []
    roles = ("public", "citizen", "professional", "operator")
    ranks = {role: {other for other in roles if roles.index(other) <= rank} for rank, role in enumerate(roles)}
    ranks["device"] = {"device"}  # a sensor's own token: nobody else's, and no account's
    for name, operation in before["operations"].items():
        stored = now["operations"].get(name)
        if stored is None:
            complaints.append(f"{name} is gone")
            continue
        lost = sorted(set(operation["parameters"]) - set(stored["parameters"]))
        complaints += [f"{name}: parameter {value} is gone" for value in lost]
        if stored["role"] not in ranks[operation["role"]]:
            complaints.append(f"{name} was for {operation['role']}, is for {stored['role']}")
    for name, fields in before["fields"].items():
        for field, kind in fields.items():
            stored = now["fields"].get(name, {}).get(field)
            if stored != kind:
                complaints.append(f"{name}.{field} was {kind}, is {stored or 'gone'}")
    return complaints


def main() -> int:
    """Add what is new; 1 when something promised would be broken."""
    from telstraat_api.app import create_app
    from telstraat_api.settings import ApiSettings

    now = promised(create_app(ApiSettings()).openapi())
    complaints = broken(json.loads(FILE.read_text(encoding="utf-8")), now) if FILE.exists() else []
    if complaints:
        sys.stderr.write("\n".join(["not in version 1:", *complaints]) + "\n")
        return 1
    FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
