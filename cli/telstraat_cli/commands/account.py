"""Let people in: operators, professionals and citizens, with keys for their programs.

  telstraat account add someone@example.org --role operator
  telstraat account key someone@example.org --scopes read,write,accounts --label laptop
  telstraat account list

A key is shown once and stored nowhere: only its hash is. The first operator is made here, the others can be made with
POST /api/v1/accounts.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from telstraat_cli.database_options import add_database_arguments, dsn_of
from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from psycopg import Connection

SCOPES = ("read", "write", "accounts")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their options."""
    add_database_arguments(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make an account")
    add.add_argument("email")
    add.add_argument("--name", default="", help="how to address them")
    add.add_argument("--role", choices=("citizen", "professional", "operator"), default="citizen")
    key = actions.add_parser("key", help="make a key and show it, once")
    key.add_argument("email")
    key.add_argument("--label", default="", help="what it is for")
    key.add_argument("--scopes", default="read", help="with commas: read, write, accounts (read)")
    actions.add_parser("list", help="who may sign in, and with how many keys")


def run(args: argparse.Namespace) -> int:
    """Do one action."""
    import psycopg

    dsn = dsn_of(args, "TELSTRAAT_API_DSN")
    try:
        with psycopg.connect(dsn) as connection:
            return {"add": add_account, "key": make_key, "list": list_accounts}[args.action](connection, args)
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no current schema; run: telstraat db migrate") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).splitlines()[0]}") from error


def add_account(connection: Connection[Any], args: argparse.Namespace) -> int:
    """Make an account."""
    from telstraat_api.v1.accounts import NewAccount

    try:
        request = NewAccount(email=args.email, name=args.name, role=args.role)
    except ValueError as error:
        raise CliError(f"{args.email!r} is not an address of mail, or the name is too long") from error
    result = connection.execute(
        "insert into account (email, name, role) values (%s, %s, %s) on conflict do nothing",
        (request.email.lower(), request.name, request.role),
    )
    if not result.rowcount:
        raise CliError(f"there is an account of {request.email.lower()} already")
    print(f"{request.email.lower()} has the role {request.role} now")
    return 0


def make_key(connection: Connection[Any], args: argparse.Namespace) -> int:
    """Make a key and show it."""
    from telstraat_api.http.access import hashed, hint_of, new_secret

    scopes = [word.strip() for word in args.scopes.split(",") if word.strip()]
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise CliError(f"scope {(unknown or [''])[0]!r} is none of {', '.join(SCOPES)}")
    secret = new_secret()
    result = connection.execute(
        "insert into access_key (account_id, label, hint, hash, scopes)"
        " select account_id, %s, %s, %s, %s from account where email = %s",
        (args.label, hint_of(secret), hashed(secret), scopes, args.email.lower()),
    )
    if not result.rowcount:
        raise CliError(f"there is no account of {args.email.lower()}; make it with: telstraat account add")
    print(secret)
    return 0


def list_accounts(connection: Connection[Any], _args: argparse.Namespace) -> int:
    """Show who may sign in."""
    from rich.table import Table

    from telstraat_cli.screen import screen

    table = Table("address", "role", "name", "keys", "locked out")
    rows = connection.execute(
        """
        select a.email, a.role, a.name, count(k.key_id) filter (where k.revoked_at is null), a.disabled_at
        from account a left join access_key k using (account_id) group by a.account_id order by a.account_id
        """
    )
    for email, role, name, keys, disabled_at in rows.fetchall():
        table.add_row(email, role, name, str(keys), "" if disabled_at is None else f"{disabled_at:%Y-%m-%d}")
    screen().print(table)
    return 0
