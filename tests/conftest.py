"""Fixtures for every part: a real PostgreSQL, a real broker, faults between them."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.harness.brokers import TestBroker
from tests.harness.databases import Databases, quick_cluster
from tests.harness.disks import small_disk
from tests.harness.moments import running
from tests.harness.pages import CHROMIUM
from tests.harness.truth_keeper import TruthKeeper

from telstraat_demo.stack.broker import mosquitto_program
from telstraat_demo.stack.postgres import Postgres
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy

ROOT = Path(__file__).resolve().parent.parent
# Programs that tests start find the parts of this checkout, also those that an older environment does not know yet.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [*(str(ROOT / part) for part in ("demo", "firmware-sim")), *filter(None, [os.environ.get("PYTHONPATH")])]
)
# They are hundreds: each would compile a thousand modules anew where nothing may be written beside them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Tests call single kernels, which only numba has; what they start as a process of its own decides for itself.
with pytest.MonkeyPatch.context() as environment:
    environment.setenv("TELSTRAAT_KERNELS", "jit")
    importlib.import_module("telstraat_device.native.kernel")


LONG = ("journeys/", "demo/", "test_wheel.py", "api/test_jobs.py", "api/test_openapi.py", "promises/test_p6_whole_hours_only.py",
        "promises/test_e9_files_and_database_give_one_answer.py")  # fmt: skip
"""Files of minutes, few tests each. They begin first, lest workers wait for the last of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files that take longest begin first; all else stays as collected."""
    items.sort(key=lambda item: not item.path.relative_to(ROOT / "tests").as_posix().startswith(LONG))


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A folder that every account can enter: pytest's own is closed to the database's."""
    folder = Path(tempfile.mkdtemp(prefix="telstraat-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(reachable_folder: Path) -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; `TELSTRAAT_TEST_PG_BIN` names another one's programs."""
    server = quick_cluster(reachable_folder / "postgres")
    server.start()
    yield server
    server.forget()


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Hands out databases of the session's PostgreSQL."""
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a migrated database for one test."""
    dsn = databases.migrated()
    yield dsn
    databases.drop(dsn)


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a migrated database for all tests of a module."""
    dsn = databases.migrated()
    yield dsn
    databases.drop(dsn)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a database without any schema."""
    dsn = databases.empty()
    yield dsn
    databases.drop(dsn)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of a module; not for longer, since its driver's loop lets no other run in this thread."""
    if not CHROMIUM:
        pytest.skip("CHROMIUM IS NOT INSTALLED: no page is opened (apt install chromium)")
    with sync_playwright() as playwright:
        expect.set_options(timeout=30_000)  # as long as every other wait of the driver: a busy machine draws late
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    """A Mosquitto for the tests of a module; `let_in` gives sensors an account."""
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: no test of a broker runs (apt install mosquitto)")
    broker = TestBroker(tmp_path_factory.mktemp("mosquitto"), kind="mosquitto")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def fresh_mosquitto(tmp_path: Path) -> Iterator[TestBroker]:
    """A Mosquitto of one test's own, to be killed and started at will."""
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: no test of a broker runs (apt install mosquitto)")
    broker = TestBroker(tmp_path / "mosquitto", kind="mosquitto")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def fresh_amqtt(tmp_path: Path) -> Iterator[TestBroker]:
    """An amqtt of one test's own."""
    broker = TestBroker(tmp_path / "amqtt", kind="amqtt")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def fault_proxy() -> Iterator[Callable[[int], FaultProxy]]:
    """Make a TCP proxy to a port: `proxy = fault_proxy(port)`, then `proxy.port` and its verbs."""
    with contextlib.ExitStack() as open_ones:
        yield lambda port: open_ones.enter_context(FaultProxy("127.0.0.1", port))


@pytest.fixture
def tiny_disk(reachable_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of 64 megabytes; `tests.harness.disks.fill` fills it."""
    with small_disk(reachable_folder / f"disk-{request.node.name[:40]}", 64) as folder:
        yield folder


@pytest.fixture
def this_hour() -> datetime:
    """The start of the running hour (UTC), which does not end before the test does."""
    return running(timedelta(hours=1), left_s=30)


@pytest.fixture
def truth_keeper(database: str) -> TruthKeeper:
    """Keeps what sensors have closed and compares it with the table of `database`."""
    return TruthKeeper(database)
