"""What other programs may use: the names that each package exports, one by one, and that exporting them costs nothing."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

EXPORTED = {
    "telstraat_contract": """
        CLASSES COUNTED COUNT_COLUMNS DIRECTIONS QUARTER QUARTER_S SPEED_BINS SPEED_BIN_KMH
        Channel Confidence Config ContractError Counts DatabaseSettings Directed Flag Health LanguageError Live Message
        MessageError Receipt Report RoadUser SensorNameError SettingsError SettingsReader Status Topic TopicError Watch
        check_sensor_name decode encode is_quarter_start parse_topic quarter_start topic
    """,
    "telstraat_device": """
        AnchoredClock CameraError Clock Counter CounterSettings Crossing DamagedError DeviceError DeviceService Frame
        FrameFormatError FrameSource KernelError CountingLineError NoFileError NotVideoError Outbox Settings SourceError
        StorageError SystemClock open_source parse_line read_settings settings_of
    """,
    "telstraat_store": """
        BackupError BadValueError Connections CountsFileError CountsRead Database DuplicateError ExportsBusyError LineError
        MigrationError NoSuchRecordError PoolLimits Reading RegistryError SchemaError StaleRecordError StreetFileError
        TelstraatStoreError UnavailableError UnwritableFileError backup migrate read_counts read_files restore
    """,
    "telstraat_analytics": """
        Calendar Effect Evaluation Excluded Measure Monitoring Plan Question
        as_counts days_needed evaluate evaluate_all inputs_hashes monitor plan read_measure
    """,
    "telstraat_api.client": """
        AnswerError Client Columns EvaluationShape EventShape InstanceShape JobShape MeasureShape ReportsShape SegmentFeature
        Sensor WorkshopShape
    """,
}
LAZY = ("telstraat_contract", "telstraat_device", "telstraat_store", "telstraat_analytics")
HEAVY = ("msgspec", "numpy", "numba", "cv2", "paho", "sqlite3", "psycopg", "pandas", "scipy", "pydantic")


def typed_imports(package: str) -> set[tuple[str, str]]:
    """Return module and name of what a package imports for those who check types."""
    source = Path(str(importlib.import_module(package).__file__)).read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return {
        (str(node.module), alias.name)
        for node in imports
        if str(node.module).startswith(f"{package}.") and not str(node.module).endswith(".exports")
        for alias in node.names
    }


@pytest.mark.parametrize("package", EXPORTED)
def test_a_package_exports_exactly_the_names_of_the_list(package: str) -> None:
    assert sorted(importlib.import_module(package).__all__) == sorted(EXPORTED[package].split())


@pytest.mark.parametrize("package", EXPORTED)
def test_every_exported_name_is_there_and_no_other_is_made_up(package: str) -> None:
    module = importlib.import_module(package)
    assert [name for name in EXPORTED[package].split() if getattr(module, name, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = module.nonsense


@pytest.mark.parametrize("package", LAZY)
def test_a_name_is_typed_as_what_is_imported_for_it(package: str) -> None:
    module = importlib.import_module(package)
    names = typed_imports(package)
    assert sorted(name for _, name in names) == sorted(module.__all__)
    assert [
        name for home, name in names if getattr(importlib.import_module(home), name) is not getattr(module, name)
    ] == []


@pytest.mark.parametrize("package", LAZY)
def test_the_root_of_a_package_imports_no_library(package: str) -> None:
    code = f"import sys, {package}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
