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

    from telstraat_store.errors import TelstraatStoreError

    dsn = dsn_of(args, "TELSTRAAT_API_DSN")
    try:
        with psycopg.connect(dsn) as connection:
            return {"add": add_account, "key": make_key, "list": list_accounts}[args.action](connection, args)
    except TelstraatStoreError as error:
        raise CliError(str(error)) from error
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no current schema; run: telstraat db migrate") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).splitlines()[0]}") from error


def add_account(connection: Connection[Any], args: argparse.Namespace) -> int:
    """Make an account."""
    from telstraat_api.v1.accounts import NewAccount
    from telstraat_store.accounts import people

    try:
        new = NewAccount(email=args.email, name=args.name, role=args.role)
    except ValueError as error:
        raise CliError(f"{args.email!r} is not an address of mail, or the name is too long") from error
    account = people.add_account(connection, new.email, new.name, new.role)
    print(f"{account['email']} has the role {account['role']} now")
    return 0


def make_key(connection: Connection[Any], args: argparse.Namespace) -> int:
    """Make a key and show it."""
    from telstraat_store.accounts import keys

    scopes = [word.strip() for word in args.scopes.split(",") if word.strip()]
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise CliError(f"scope {(unknown or [''])[0]!r} is none of {', '.join(SCOPES)}")
    key = keys.make_key(connection, args.label, scopes, email=args.email)
    if key is None:
        raise CliError(f"there is no account of {args.email.lower()}; make it with: telstraat account add")
    print(key[1])
    return 0


def list_accounts(connection: Connection[Any], _args: argparse.Namespace) -> int:
    """Show who may sign in."""
    from rich.table import Table

    from telstraat_cli.screen import screen
    from telstraat_store.accounts import people

    table = Table("address", "role", "name", "keys", "locked out")
    for account in people.list_accounts(connection):
        locked_out_at = account["disabled_at"]
        table.add_row(
            account["email"],
            account["role"],
            account["name"],
            str(account["keys"]),
            "" if locked_out_at is None else f"{locked_out_at:%Y-%m-%d}",
        )
    screen().print(table)
    return 0
