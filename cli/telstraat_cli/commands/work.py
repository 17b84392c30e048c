"""Compute what people wait for: take jobs (evaluations and the like) from the database, each into a process of its own.

    telstraat work                     one job at a time, on all cores of this machine
    telstraat work --at-once 4         four at a time

It needs the database's address and nothing else, so it runs on any machine that reaches the database, as many beside each other as one
likes. `telstraat api` does the same by itself (setting jobs_at_once); set that to 0 where workers run. Ctrl-C or SIGTERM stops it: what is
not finished by then goes to another worker. Every option is also a setting (TELSTRAAT_DSN, TELSTRAAT_API_JOB_MEMORY_MB and so on).
"""

from __future__ import annotations

import argparse

from telstraat_cli.database_options import add_database_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_database_arguments(parser)
    parser.add_argument("--at-once", type=int, default=1, metavar="JOBS", help="jobs at a time (1)")
    parser.add_argument("--processes", type=int, dest="job_processes", help="processes per job (as many as cores)")
    parser.add_argument("--metrics-port", type=int, dest="job_metrics_port", help="port for metrics (none)")


def run(args: argparse.Namespace) -> int:
    """Work until stopped."""
    from telstraat_api.jobs.service import work
    from telstraat_api.settings import read_settings

    names = ("dsn", "job_processes", "job_metrics_port")
    return work(read_settings(args.settings, {name: getattr(args, name) for name in names}), max(args.at_once, 1))
