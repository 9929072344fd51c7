"""The command line: what is written, what is left as it was, and how it fails."""

import datetime
import errno
import io
import os
import pkgutil
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
import warnings
from collections import Counter
from decimal import Decimal
from doctest import ELLIPSIS, OutputChecker
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import quick

from vaesampler import VAEOversampler, synthetic_report
from vaesampler._command import main as command
from vaesampler._command.main import main
from vaesampler._runtime.version import __version__

pytest.importorskip("dask.dataframe", reason="dask is not installed")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from vaesampler._command import output, pieces, report, resample, sample, worker  # noqa: E402

N_ROWS = 300


def make_frame(n_rows=N_ROWS, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 80, n_rows),
            "amount": rng.normal(50, 9, n_rows).round(2),
            "churn": np.where(np.arange(n_rows) % 10 == 3, "yes", "no"),
            "plan": rng.choice(["basic", "plus, or more", 'a "b"'], n_rows),
        }
    )


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Train for a few steps, in an empty folder."""

    def few_steps(**parameters):
        return VAEOversampler(max_iter=15, pretrain_iter=15, **parameters)

    monkeypatch.setattr(resample, "VAEOversampler", few_steps)
    few_rows = partial(synthetic_report, max_samples=40)
    monkeypatch.setattr(report, "synthetic_report", few_rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1_000)


@pytest.fixture
def table(workplace):
    make_frame().to_parquet("table.parquet", row_group_size=100)
    return "table.parquet"


def run(line, *more):
    """Run a command that succeeds."""
    assert main([*line.split(), *more]) == 0


def fails(capsys, line, code=1):
    """Run a command that fails, and return its only line on stderr."""
    before = sorted(everything())
    quiet = ["--quiet"] if line.startswith("resample") else []
    assert main([*line.split(), *quiet]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert sorted(everything()) == before
    return captured.err


def everything():
    return [path for path in Path().rglob("*") if path.is_file()]


def in_memory(frame, target="churn", **parameters):
    sampler = quick(**parameters)
    X, y = sampler.fit_resample(frame.drop(columns=target), frame[target])
    return X.assign(**{target: y})[list(frame)]


# Resampling


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
@pytest.mark.parametrize("source", ["parquet", "csv"])
def test_the_rows_are_those_of_fit_resample(source, suffix):
    frame = make_frame()
    if source == "csv":
        frame.to_csv("table.csv", index=False)
    else:
        frame.to_parquet("table.parquet", row_group_size=40)
    run(f"resample table.{source} --target churn --output out.{suffix} --seed 0")
    found = pd.read_csv("out.csv") if suffix == "csv" else pd.read_parquet("out.parquet")
    pd.testing.assert_frame_equal(found, in_memory(frame))


@pytest.mark.usefixtures("small_pieces")
def test_a_folder_becomes_a_folder_whose_parts_are_in_order():
    frame = make_frame().sort_values("churn", ignore_index=True)  # parts of one class
    folder = Path("in")
    folder.mkdir()
    for index in range(12):  # part.2 comes before part.10
        part = frame.iloc[index * 25 : (index + 1) * 25]
        part.to_parquet(folder / f"part.{index}.parquet")
    (folder / "_SUCCESS").touch()
    expected = in_memory(frame)
    for name in ("in", "in/*.parquet"):
        run(f"resample {name} --target churn --output out.parquet --seed 0 --overwrite")
        assert len(list(Path("out.parquet").iterdir())) > 12
        pd.testing.assert_frame_equal(
            pd.read_parquet("out.parquet").reset_index(drop=True), expected
        )
    run("resample in --target churn --output one.csv --seed 0")
    pd.testing.assert_frame_equal(pd.read_csv("one.csv"), expected)


@pytest.mark.usefixtures("small_pieces")
def test_schema_metadata_index_and_cells_are_kept():
    rng = np.random.default_rng(0)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i % 90) for i in range(N_ROWS)]
    columns = {
        "count": pa.array(
            [None if i % 7 == 0 else 2**60 + i for i in range(N_ROWS)], pa.int64()
        ),
        "small": pa.array(rng.integers(0, 5, N_ROWS), pa.int8()),
        "day": pa.array(days, pa.date32()),
        "time": pa.array(pd.to_datetime(days), pa.timestamp("us", "Europe/Paris")),
        "price": pa.array([Decimal(i) / 100 for i in range(N_ROWS)], pa.decimal128(9, 2)),
        "level": pa.array(rng.choice(["a", "b"], N_ROWS)).dictionary_encode(),
        "flag": pa.array([None if i % 9 == 0 else i % 2 == 0 for i in range(N_ROWS)]),
        "churn": pa.array([i % 10 == 3 for i in range(N_ROWS)]),
        "name": pa.array(rng.choice(["x", "y"], N_ROWS)).cast(pa.large_string()),
        "id": pa.array(np.arange(N_ROWS) + 1_000),
    }
    table = pa.table(columns)
    index = pa.Schema.from_pandas(pd.DataFrame({"a": [1]}, index=pd.Index([1], name="id")))
    pandas = index.metadata[b"pandas"].replace(b'"a"', b'"small"')
    fields = [
        field.with_metadata({"unit": "euro"}) if field.name == "price" else field
        for field in table.schema
    ]
    schema = pa.schema(fields, metadata={"owner": "us", "pandas": pandas})
    pq.write_table(table.cast(schema), "in.parquet", row_group_size=50, compression="zstd")
    run("resample in.parquet --target churn --output out.parquet --seed 0 --mark")
    before, after = pq.read_table("in.parquet"), pq.read_table("out.parquet")
    assert after.schema.names == [*before.schema.names, "is_synthetic"]
    for field in before.schema:
        found = after.schema.field(field.name)
        assert found.equals(field)
        assert (found.metadata or {}).items() >= (field.metadata or {}).items()
    assert after.schema.metadata[b"owner"] == b"us"
    assert after.drop_columns("is_synthetic")[:N_ROWS].equals(before)
    assert pd.read_parquet("out.parquet").index.name == "id"
    ids = after["id"][N_ROWS:].to_pylist()
    assert ids == list(range(N_ROWS, N_ROWS + len(ids)))
    assert pq.ParquetFile("out.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    assert 0 < after["count"][N_ROWS:].null_count < len(ids)


def test_a_range_index_is_not_written_as_a_column(table):
    run(f"resample {table} --target churn --output out.parquet --mark")
    assert pq.read_schema("out.parquet").names == [*make_frame(), "is_synthetic"]
    assert pd.read_parquet("out.parquet").index.equals(pd.RangeIndex(540))


@pytest.mark.usefixtures("small_pieces")
def test_cells_of_csv_are_kept_as_text():
    rng = np.random.default_rng(0)
    header = "code,text,rate,churn\n"
    rows = [
        f'{i % 9:03},"line {i % 3}\nand ""more""",{rng.normal():.3f}0,{"a" if i % 5 else "b"}\n'
        for i in range(200)
    ]
    rows[7] = rows[7].replace(f"{7:03}", "")
    Path("in.csv").write_text(header + "".join(rows))
    assert len(pieces.csv_pieces(Path("in.csv"))) > 3
    run("resample in.csv --target churn --output out.csv")
    text = Path("out.csv").read_text()
    assert text.startswith(header + "".join(rows))
    run("resample in.csv --target churn --output out.parquet --mark")
    assert Counter(pd.read_csv("out.csv")["churn"]) == {"a": 160, "b": 160}
    found = pd.read_parquet("out.parquet")
    assert pq.read_schema("out.parquet").field("code").type == "int64"
    assert found["is_synthetic"].sum() == 120


def test_columns_of_csv_have_the_dtype_that_the_whole_file_has(workplace):
    folder = Path("in")
    folder.mkdir()
    lines = ["1,1,1,true,,1,a", "2,,2.5,,,x,b", "3,3,,false,,,a", "4,4,4,true,,2,b"]
    for index, line in enumerate(lines):
        (folder / f"{index}.csv").write_text(f"i,n,f,b,e,s,y\n{line}\n")
    frame = resample.open_source("in").pieces[0].frame()
    dtypes = {
        "i": "int64",
        "n": "Int64",
        "f": "float64",
        "b": "boolean",
        "e": "float64",
        "s": pd.Series(["x"]).dtype,
    }
    assert {name: frame[name].dtype for name in dtypes} == dtypes


@pytest.mark.usefixtures("small_pieces")
def test_integers_beside_missing_cells_stay_integers_in_csv(workplace):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"visits": pd.array(rng.poisson(30, 200), dtype="Int64")})
    frame.loc[rng.random(200) < 0.2, "visits"] = pd.NA
    frame["spent"], frame["churn"] = rng.normal(size=200).round(2), np.arange(200) % 5 == 0
    frame.to_csv("in.csv", index=False)
    run("resample in.csv --target churn --output out.csv")
    cells = pd.read_csv("out.csv", dtype=str)["visits"]
    assert cells.dropna().str.fullmatch(r"\d+").all()
    assert cells[200:].isna().any()


@pytest.mark.filterwarnings("default:The columns:UserWarning")
@pytest.mark.parametrize(
    ("cells", "is_warned"),
    [
        (["2024-05-01", "2024-05-02"], True),
        (["2024-05-01T10:00:00+02:00", ""], True),
        (["2024-05-01", "unknown"], False),
        (["", ""], False),
        (["20240501", "20240502"], False),
    ],
)
def test_dates_in_csv_are_warned_of(cells, is_warned, workplace, capsys):
    rows = [f"{cells[index % 2]},{index},{'a' if index % 5 else 'b'}" for index in range(40)]
    Path("in.csv").write_text("\n".join(["ordered,n,churn", *rows, ""]))
    run("resample in.csv --target churn --output out.csv --quiet")
    captured = capsys.readouterr().err
    assert ("['ordered'] of in.csv hold dates" in captured) == is_warned


@pytest.mark.parametrize(
    ("strategy", "n_yes"),
    [("0.5", 135), ("minority", 270), ('{"yes": 100}', 100), ("1", 270), ('{"no": 270}', 30)],
)
def test_strategies_and_what_is_printed(table, strategy, n_yes, capsys):
    run(f"resample {table} --target churn --output out.parquet --strategy", strategy)
    assert Counter(pd.read_parquet("out.parquet")["churn"]) == {"no": 270, "yes": n_yes}
    captured = capsys.readouterr()
    added = f"{n_yes - 30} of class 'yes'" if n_yes > 30 else "none"
    assert captured.out == f"out.parquet: {270 + n_yes} rows, of which synthetic: {added}\n"
    assert [line.split()[1] for line in captured.err.splitlines()] == [
        "reading",
        "training;",
        "writing",
    ]


def test_quiet_prints_nothing_and_overwrite_replaces(table, capsys):
    Path("out.parquet").mkdir()
    run(f"resample {table} --target churn --output out.parquet --overwrite --quiet")
    assert capsys.readouterr() == ("", "")
    assert pq.ParquetFile("out.parquet").metadata.num_rows == 540
    assert sorted(path.name for path in everything()) == ["out.parquet", "table.parquet"]


@pytest.mark.parametrize(
    "names", [pd.RangeIndex(4), [("a", "b"), ("a", "c"), ("d", "e"), ("", "f")]]
)
def test_a_frame_whose_names_are_not_text_is_read_and_marked(names):
    make_frame().set_axis(pd.Index(names), axis=1).to_parquet("in.parquet")
    target = str(names[2])
    command = ["resample", "in.parquet", "--target", target, "--output", "out.parquet"]
    assert main(command) == 0
    found = pd.read_parquet("out.parquet")
    assert found.columns.equals(pd.read_parquet("in.parquet").columns)
    assert main([*command, "--mark", "--overwrite"]) == 0
    assert list(pd.read_parquet("out.parquet")) == [*map(str, names), "is_synthetic"]


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=N_ROWS, name="day"),
        pd.MultiIndex.from_arrays([np.arange(N_ROWS), ["a"] * N_ROWS], names=["u", "v"]),
        pd.Index([f"row {i}" for i in range(N_ROWS)]),
    ],
)
def test_an_index_that_cannot_be_continued_is_missing(index):
    make_frame().set_axis(index).to_parquet("in.parquet")
    run("resample in.parquet --target churn --output out.parquet")
    found = pd.read_parquet("out.parquet")
    assert found.index[:N_ROWS].equals(index)
    assert found.index[N_ROWS:].to_frame().isna().all(axis=None)
    run("resample in.parquet --target churn --output out.csv")
    assert list(pd.read_csv("out.csv")) == [*make_frame(), *filter(None, index.names)]


def test_labels_that_are_numbers_and_named_categories(workplace):
    frame = make_frame().assign(churn=lambda frame: (frame["churn"] == "yes") + 1)
    frame.to_parquet("in.parquet")
    line = "resample in.parquet --target churn --output out.parquet --seed 0"
    run(line, "--strategy", '{"2": 90}', "--categorical", 'age,"plan"')
    expected = in_memory(frame, sampling_strategy={2: 90}, categorical_features=["age", "plan"])
    pd.testing.assert_frame_equal(pd.read_parquet("out.parquet"), expected)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("option", ["--scheduler", "--n-workers"])
def test_a_cluster_writes_the_same_file(table, option, monkeypatch):
    distributed = pytest.importorskip("distributed")

    def cluster_of_threads(preload=(), **options):
        return distributed.deploy.local.LocalCluster(processes=False, **options)

    monkeypatch.setattr(distributed, "LocalCluster", cluster_of_threads)
    run(f"resample {table} --target churn --output here.parquet --seed 0")
    line = f"resample {table} --target churn --output there.parquet --seed 0 {option}"
    if option == "--n-workers":
        run(line, "1")
    else:
        with cluster_of_threads(n_workers=1, dashboard_address=":0") as cluster:
            run(line, cluster.scheduler_address)
    here, there = map(pq.read_table, ("here.parquet", "there.parquet"))
    assert here.equals(there, check_metadata=True)


def test_worker_processes_leave_ctrl_c_to_the_command_and_shorten_warnings(monkeypatch, capsys):
    signals = {}
    monkeypatch.setattr(signal, "signal", signals.__setitem__)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    worker.dask_setup(None)
    assert signals == {signal.SIGINT: signal.SIG_IGN}
    warnings.showwarning("many\nlines", UserWarning, "file.py", 3)
    assert capsys.readouterr().err == "vaesampler: warning: many lines\n"


# Failing


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("resample tabel.parquet --target churn --output o.csv", "names are ['table.parquet'"),
        ("resample empty --target churn --output o.csv", "found none directly in it"),
        ("resample other.txt --target churn --output o.csv", "must end in .parquet or .csv"),
        ("resample mixed --target churn --output o.csv", "found Parquet and CSV"),
        ("resample broken.parquet --target churn --output o.csv", "must be a Parquet file"),
        ("resample empty.csv --target churn --output o.csv", "line of column names"),
        ("resample ragged.csv --target churn --output o.csv", "must be a CSV file"),
        ("resample differ --target churn --output o.csv", "'age' is int64 in the first"),
        ("resample table.parquet --target chrun --output o.csv", "['churn']"),
        ("resample table.parquet --target churn --output o.csv --categorical plum", "'plan'"),
        ("resample table.parquet --target churn --output o.csv --categorical churn", "target"),
        ("resample table.parquet --target one --output o.csv", "found only 1"),
        ("resample table.parquet --target missing --output o.csv", "found 2 missing in 300"),
        ("resample table.parquet --target amount --output o.csv", "continuous"),
        ("resample table.parquet --target churn --output table.parquet", "not be the input"),
        ("resample differ --target churn --output o.parquet", "found a difference"),
        ("resample differ --target churn --output differ/new.parquet", "in the folder of the"),
        ("resample differ --target churn --output differ --overwrite", "must end in"),
        ("resample a.parquet --target churn --output a.parquet --overwrite", "the input"),
        ("resample table.parquet --target churn --output old.csv", "Pass --overwrite"),
        ("resample table.parquet --target churn --output no/o.csv", "folder of the output"),
        ("resample table.parquet --target churn --output o.txt", "must end in"),
        ("resample table.parquet --target churn --output f.csv --overwrite", "other files"),
        ("resample table.parquet --target churn --output o.csv --strategy most", "--strategy"),
        ("resample table.parquet --target churn --output o.csv --strategy NaN", "found 'NaN'"),
        ("resample table.parquet --target churn --output o.csv --strategy -1", "float"),
        ('resample table.parquet --target churn --output o.csv --strategy {"y":9}', "'yes'"),
        ('resample table.parquet --target churn --output o.csv --strategy {"no":9}', "fewer"),
        ("resample marked.parquet --target churn --output o.csv --mark", "'is_synthetic'"),
        ("report table.parquet marked.parquet --target churn", "'is_synthetic' marks none"),
        ("report old.csv table.parquet --target churn", "must have the column 'churn'"),
        ("sample no.safetensors --label yes -n 3", "no such file"),
        ("sample broken.parquet --label yes -n 3", "not a sampler saved by vaesampler"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(line, message, capsys, workplace):
    frame = make_frame().assign(one=1, missing=lambda frame: frame["churn"])
    frame.loc[[5, 9], "missing"] = None
    frame.to_parquet("table.parquet")
    frame.assign(is_synthetic=False).to_parquet("marked.parquet")
    for name in ("empty", "mixed", "differ", "f.csv", "a.parquet"):
        (workplace / name).mkdir()
    for name in ("other.txt", "old.csv", "f.csv/other.txt"):
        (workplace / name).write_text("a,b\n1,2\n")
    (workplace / "empty.csv").touch()
    (workplace / "ragged.csv").write_text("a,churn\n1,2\n1,2,3\n")
    (workplace / "broken.parquet").write_bytes(b"PAR1 and so on")
    frame.to_parquet("mixed/a.parquet")
    frame.to_csv("mixed/b.csv")
    frame.to_parquet("differ/a.parquet")
    frame.to_parquet("a.parquet/a.parquet")
    frame.astype({"age": float}).to_parquet("differ/b.parquet")
    assert message in fails(capsys, line)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("step", ["write_part", "join"])
@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1, "The disk of the output must"),
        (OSError("No space left on device"), 1, "it is full"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was written"),
    ],
)
def test_a_failure_leaves_what_was_there(
    table, monkeypatch, capsys, error, code, message, step, suffix
):
    Path(f"out.{suffix}").write_text("before")
    real = getattr(output.Writer, step)

    def fail(writer, *arguments):
        real(writer, *arguments)
        raise error

    monkeypatch.setattr(output.Writer, step, fail)
    line = f"resample {table} --target churn --output out.{suffix} --overwrite"
    assert message in fails(capsys, line, code=code)
    assert Path(f"out.{suffix}").read_text() == "before"


def test_a_command_that_is_terminated_leaves_nothing(table, monkeypatch):
    def wait(writer, *arguments):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.2)

    monkeypatch.setattr(output.Writer, "write_part", wait)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as exit_code:
        main(f"resample {table} --target churn --output out.csv --quiet".split())
    assert exit_code.value.code == 143
    assert signal.getsignal(signal.SIGTERM) == before
    assert everything() == [Path(table)]


def test_a_damaged_page_of_a_parquet_file_is_named(table, capsys, workplace):
    data = bytearray((workplace / table).read_bytes())
    data[50:3000] = bytes(2950)
    (workplace / table).write_bytes(data)
    assert "table.parquet must be a Parquet file; it cannot be read" in fails(
        capsys, f"resample {table} --target churn --output out.csv"
    )


def test_missing_libraries_are_named_with_how_to_install_them(table, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    error = fails(capsys, f"resample {table} --target churn --output out.csv")
    assert 'needs dask. Install it with `pip install "vaesampler[dask]"`' in error
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "vaesampler report needs pyarrow" in fails(capsys, "report a b --target c")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "resample",
        "resample a --target b",
        "resample a --target b --output c --n-workers 0",
        "resample a --target b --output c --n-workers 2 --scheduler d",
        "resample a --target b --output c --seed -1",
        "sample a --label b -n none",
    ],
)
def test_wrong_usage_exits_with_2(line, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main(line.split())
    assert exit_code.value.code == 2
    assert "usage: vaesampler" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*filter(None, command.EXAMPLES), ""])
def test_every_help_has_an_example(name, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([*name.split(), "--help"])
    assert exit_code.value.code == 0
    assert "\n  vaesampler resample" in capsys.readouterr().out or name == "sample"


def test_warnings_are_lines_on_stderr(workplace, capsys):
    frame = make_frame().assign(name=[f"name {i}" for i in range(N_ROWS)])
    frame.to_parquet("in.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        run("resample in.parquet --target churn --output out.parquet --quiet")
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("vaesampler: warning: ") for line in lines)
    assert any("Most values are found once or twice in 'name'" in line for line in lines)


# Reports


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_marked_output_is_reported_class_by_class(suffix, capsys, workplace):
    frame = make_frame()
    frame.loc[::7, "churn"] = "maybe"
    frame.to_parquet("in.parquet")
    run(f"resample in.parquet --target churn --output out.{suffix} --mark --seed 0")
    capsys.readouterr()
    run(f"report in.parquet out.{suffix} --target churn --html page.html")
    text = capsys.readouterr().out
    counts = frame["churn"].value_counts()
    for label in ("maybe", "yes"):
        added = counts.max() - counts[label]
        assert f"Class {label!r}\nSynthetic rows: " in text
        assert f"Rows: {added} synthetic; {counts[label]} real" in text
    assert "Class 'no'" not in text
    page = (workplace / "page.html").read_text()
    assert page.count("<table>") == 2
    assert "<h2>Class &#x27;yes&#x27;</h2>" in page
    # The real rows of an output are those that are not marked.
    run(f"report out.{suffix} out.{suffix} --target churn")
    assert capsys.readouterr().out == text
    assert "Pass --overwrite" in fails(
        capsys, f"report in.parquet out.{suffix} --target churn --html page.html"
    )


# Sampling


@pytest.fixture
def model(workplace):
    frame = make_frame()
    sampler = quick().fit(frame.drop(columns="churn"), frame["churn"])
    sampler.save("model.safetensors")
    return sampler


def test_samples_are_those_of_the_sampler(model, capsys):
    expected = model.sample("yes", 20, random_state=3)
    line = "sample model.safetensors --label yes -n 20 --seed 3"
    run(f"{line} --output rows.parquet")
    run(f"{line} --output rows.csv")
    assert capsys.readouterr().out == (
        "rows.parquet: 20 synthetic rows of class 'yes'\n"
        "rows.csv: 20 synthetic rows of class 'yes'\n"
    )
    run(line)
    assert capsys.readouterr().out == Path("rows.csv").read_text()
    for found in (pd.read_parquet("rows.parquet"), pd.read_csv("rows.csv")):
        pd.testing.assert_frame_equal(found, expected)
    assert "must be one of ['yes']; found 'no'" in fails(
        capsys, "sample model.safetensors --label no -n 3"
    )
    assert "Pass --overwrite" in fails(capsys, f"{line} --output rows.csv")


@pytest.mark.parametrize("container", ["array", "polars", "arrow", "sparse"])
def test_samplers_of_all_containers_are_sampled_from(container, capsys, workplace):
    frame = make_frame()
    X = frame[["age", "amount"]]
    y = frame["churn"].eq("yes").to_numpy()
    if container == "array":
        X = X.to_numpy()
    elif container == "polars":
        X = pytest.importorskip("polars").from_pandas(X)
    elif container == "arrow":
        X = pa.Table.from_pandas(X)
    else:
        X = sample.sparse.csr_array(X.to_numpy())
    quick().fit(X, y).save("model.safetensors")
    run("sample model.safetensors --label True -n 5")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("age,amount" if container in ("polars", "arrow") else "x0,x1")
    assert len(lines) == 6


def test_lines_of_csv_end_alike_on_all_systems(model, table, monkeypatch, capsys):
    monkeypatch.setattr(os, "linesep", "\r\n")  # as on Windows
    run(f"resample {table} --target churn --output resampled.csv --quiet")
    run("sample model.safetensors --label yes -n 3 --output rows.csv")
    capsys.readouterr()
    run("sample model.safetensors --label yes -n 3")
    files = [Path(name).read_bytes() for name in ("resampled.csv", "rows.csv")]
    assert [b"\r" in data for data in files] == [False, False]
    assert "\r" not in capsys.readouterr().out


def test_csv_on_stdout_is_utf_8_whatever_the_encoding_of_the_terminal(monkeypatch, workplace):
    X, y = make_frame().drop(columns="churn").assign(plan="Łódź"), make_frame()["churn"]
    quick().fit(X, y).save("model.safetensors")
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")  # of a pipe on Windows
    monkeypatch.setattr(sys, "stdout", stdout)
    run("sample model.safetensors --label yes -n 3")
    stdout.flush()
    assert "Łódź" in stdout.buffer.getvalue().decode("utf-8")


# The page of the documentation


def test_the_page_from_the_shell_shows_what_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(resample, "VAEOversampler", VAEOversampler)
    monkeypatch.setattr(report, "synthetic_report", synthetic_report)
    page = (Path(__file__).parents[1] / "docs" / "command_line.md").read_text()
    blocks = re.findall(r"```(console|{code-block} python)\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 6
    namespace = {}
    for kind, block in blocks:
        if kind != "console":
            exec(block, namespace)
            continue
        for call in re.split(r"^\$ vaesampler ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = call.partition("\n")
            main(shlex.split(line))
            out, err = capsys.readouterr()
            shown, printed = map(without_decimals, (shown, err + out))
            assert OutputChecker().check_output(shown, printed, ELLIPSIS), printed


def without_decimals(text):
    """Replace what another machine may round otherwise."""
    return re.sub(r"-?\d*\.\d+%?|\d+%|^\d+,.*", "#", text, flags=re.MULTILINE)


# Processes


def test_the_entry_point_is_main():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    assert pkgutil.resolve_name(project["project"]["scripts"]["vaesampler"]) is main


def test_the_module_is_a_command_that_does_not_import_torch():
    code = "import atexit, sys; atexit.register(lambda: print('torch' in sys.modules));"
    code += "sys.argv[1:] = ['--version'];"
    code += "import runpy; runpy.run_module('vaesampler', run_name='__main__')"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout.split() == ["vaesampler", __version__, "False"]
