"""Draw the tables of a migrated database into ARCHITECTURE.md: `python scripts/schema_picture.py [DSN]`.

Without a DSN a PostgreSQL of its own is started and migrated for it, as the tests have one.
"""

from __future__ import annotations

import itertools
import re
import sys
import tempfile
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "ARCHITECTURE.md"
HEAD = "flowchart LR"
BLOCK = re.compile(rf"```mermaid\n{HEAD}\n.*?```\n", re.DOTALL)
TABLES = """
    select relname from pg_class
    where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and not relispartition
      and relname not like 'procrastinate%'
    order by relname
"""
REFERENCES = """
    select distinct parent.relname, child.relname
    from pg_constraint con
    join pg_class child on child.oid = con.conrelid
    join pg_class parent on parent.oid = con.confrelid
    where con.contype = 'f' and con.conparentid = 0 and not child.relispartition
      and child.relnamespace = 'public'::regnamespace and child.relname not like 'procrastinate%'
    order by 1, 2
"""
# The queue's own tables are its library's (decision 040).
# What is written most has no foreign keys, so that a batch locks no other rows; its columns say what it belongs to.
BY_NUMBER = """
    select distinct parent.relname, child.relname
    from pg_attribute number
    join pg_class child on child.oid = number.attrelid
    join pg_class parent on parent.relnamespace = child.relnamespace and number.attname = parent.relname || '_id'
    where child.relname = any(%s) and parent.oid <> child.oid and parent.relkind in ('r', 'p')
      and child.relnamespace = 'public'::regnamespace
    order by 1, 2
"""


def picture(dsn: str) -> str:
    """Return a Mermaid diagram of the tables of a database: a line for a foreign key, dots for a number without one."""
    with psycopg.connect(dsn) as connection:
        tables = [name for (name,) in connection.execute(TABLES)]
        keys = connection.execute(REFERENCES).fetchall()
        alone = sorted(set(tables) - {name for key in keys for name in key})
        numbers = connection.execute(BY_NUMBER, [alone]).fetchall()
    lines = [*joined(keys, "-->"), *joined(numbers, "-.->")]
    lines += [name for name in alone if name not in {child for _, child in numbers}]
    return "\n".join(["```mermaid", HEAD, *lines, "```", ""])


def joined(pairs: list[tuple[str, str]], arrow: str) -> list[str]:
    """Return a line for each parent, with all of its children."""
    return [
        f"{parent} {arrow} {' & '.join(child for _, child in group)}"
        for parent, group in itertools.groupby(pairs, lambda pair: pair[0])
    ]


def drawn(page: str) -> str:
    """Return the diagram that stands in a page."""
    block = BLOCK.search(page)
    if block is None:
        raise ValueError("the page has no diagram that begins with ```mermaid, flowchart LR")
    return block[0]


def main(dsn: str | None) -> None:
    """Write the diagram into ARCHITECTURE.md."""
    if dsn is None:
        sys.path.insert(0, str(ROOT))
        from tests.harness.databases import Databases, quick_cluster

        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o711)
            server = quick_cluster(Path(folder) / "postgres")
            server.start()
            try:
                main(Databases(server).migrated())
            finally:
                server.forget()
        return
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.replace(drawn(page), picture(dsn)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
