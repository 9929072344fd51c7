"""Files of samplers, and what a damaged disk or somebody malicious makes of them.

    python tests/damaged_files.py 10000     # about ten minutes

tries as many damaged files, and prints how many were refused, how many were loaded, the longest
time, and by how much memory grew. It fails if a file does anything else.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import polars as pl
from conftest import make_table, quick
from scipy import sparse

from vaesampler import ForestCritic, VAEOversampler
from vaesampler._saving import file as saved_files
from vaesampler.exceptions import SavedSamplerError

# Seconds after which a file counts as one that hangs.
LONGEST = 60
N_FIRST = 100


def small_frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "amount": rng.normal(size=40).round(2),
            "count": rng.integers(0, 500, 40),
            "text": rng.choice(["a", "b", "ü\n"], 40),
            "size": pd.Categorical(
                rng.choice(["S", "M", "L"], 40), ["S", "M", "L"], ordered=True
            ),
            "day": pd.Timestamp("2020-03-01") + pd.to_timedelta(rng.integers(0, 400, 40), "D"),
        }
    )


def small_sampler(table="pandas"):
    """Return a fitted sampler whose file is small."""
    X = {
        "pandas": small_frame,
        "polars": lambda: pl.from_pandas(small_frame()),
        "list": lambda: small_frame().drop(columns="day").to_numpy(object).tolist(),
        "array": lambda: make_table({0: 30, 1: 10})[0],
        "csr": lambda: sparse.csr_array(np.rint(make_table({0: 30, 1: 10})[0])),
    }[table]()
    critic = {"array": "neighbors", "csr": "network"}.get(table, ForestCritic(2))
    sampler = quick(hidden_layer_sizes=4, latent_dim=2, max_iter=3, critic=critic)
    return sampler.fit(X, [0, 0, 0, 1] * 10)


# What may happen to a file: each of these returns other bytes


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Change, cut, insert or delete some bytes, as a bad disk or connection does."""
    content = bytearray(data)
    header_end = 8 + int.from_bytes(content[:8], "little")
    for _ in range(random.randint(1, 3)):
        end = min(random.choice([8, header_end, len(content)]), len(content))
        index = random.randrange(max(1, end))
        how = random.choice(["byte", "cut", "insert", "delete", "length"])
        if how == "byte":
            content[index : index + 1] = random.randbytes(1)
        elif how == "cut":
            del content[index:]
        elif how == "insert":
            content[index:index] = random.randbytes(random.randint(1, 9))
        elif how == "delete":
            del content[index : index + random.randint(1, 99)]
        else:
            content[:8] = (random.getrandbits(64) >> random.choice([0, 32, 50])).to_bytes(
                8, "little"
            )
    return bytes(content)


def parsed(data: bytes):
    """Return the header of a file of the safetensors format, and its arrays as bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


def joined(header, body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def change_header(data: bytes, random: Random) -> bytes:
    """Change the dtype, shape, place or name of an array, or the metadata."""
    header, body = parsed(data)
    names = sorted(header.keys() - {"__metadata__"})
    entry = header[random.choice(names)]
    how = random.choice(["dtype", "shape", "offsets", "name", "metadata", "more"])
    sizes = [0, 1, -1, 2**31, 2**60, 2**64, 10**400, 1.5, "1", None, [1], True]
    if how == "dtype":
        entry["dtype"] = random.choice(["F64", "F32", "I64", "U8", "BOOL", "BF16", "O", 1, []])
    elif how == "shape":
        n_axes = random.choice([0, 1, 2, 3, 33, 70])
        entry["shape"] = [random.choice([*sizes, *entry["shape"]]) for _ in range(n_axes)]
    elif how == "offsets":
        found = entry["data_offsets"]
        entry["data_offsets"] = random.choices([*sizes, *found], k=random.randint(0, 3))
    elif how == "name":
        other = "".join(random.choices('a0"\\\0ü', k=random.randint(0, 3)))
        header[other] = header.pop(random.choice(names))
    elif how == "metadata":
        header["__metadata__"] = random.choice(
            [None, {}, [], {"vaesampler": "[" * 100_000}, {"vaesampler": "1"}]
        )
    else:
        shape, ends = random.choice([([2**60, 0], [0, 0]), ([2**60], [0, 2**60]), ([], [0, 0])])
        header["more"] = {"dtype": "U8", "shape": shape, "data_offsets": ends}
    return joined(header, body)


def places_in(content):
    """Yield each list or dict in some JSON, with each of its keys."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield content, key
        if isinstance(value, list | dict):
            yield from places_in(value)


def nested(depth):
    coded = 1
    for _ in range(depth):
        coded = ["tuple", coded]
    return coded


OTHER_VALUES = [
    *(None, True, 0, -1, 2**40, 1e308, "", "a", "os.system", [], {}, ["list"]),
    *(["shared", "schema"], ["int", "9" * 5_000], ["float", "nan"], ["int", str(2**60)]),
    *(["dtype", "<U999999999"], ["dtype", "O"], ["type", "builtins.list"], ["bytes", "?"]),
    *(["record", "os", {}], ["record", "ForestCritic", {"n_estimators": 2**60}]),
    *(nested(5), nested(500)),
]


def alike(value, random: Random):
    """Return another value of the type of some JSON."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        others = [value + 1, value - 1, -value, 2 * value, 0 * value, 2**31 + value, 2**60]
        return random.choice([*others, 1e-300 * value, 1e300])
    if isinstance(value, str):
        return random.choice([value[:-1], value + "1", "-" + value, value[::-1], value * 9])
    if isinstance(value, list):
        return random.choice([value[:-1], value + value[-1:], value[::-1], value * 2])
    return value


def alike_array(array, random: Random):
    """Return an array of the same dtype and shape with other cells."""
    other = array.copy()
    cells = other.reshape(-1)
    if len(cells) > 0:
        index = random.randrange(len(cells))
        ends = [0, 1, 255, np.inf, -np.inf, np.nan, 1e300, -(2**62), 2**62]
        chosen = random.choice(
            [*ends, float(cells[index]) + 1, -float(cells[index]), cells[-1 - index]]
        )
        where = random.choice([index, slice(None)])
        with np.errstate(all="ignore"):
            cells[where] = np.array(chosen).astype(array.dtype)
    return other


def change_content(data: bytes, random: Random) -> bytes:
    """Change the JSON or an array, and write the checksum that belongs to it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sampler"
        path.write_bytes(data)
        content, arrays = saved_files.read_file(path)
        places, names = list(places_in(content)), sorted(arrays)
        for _ in range(random.randint(0, 2)):
            holder, key = random.choice(places)
            other_holder, other_key = random.choice(places)
            of_an_array = ["array", ["dtype", "<f8"], [2**60], False, random.choice(names)]
            others = [*OTHER_VALUES, of_an_array, *[other_holder[other_key]] * 10]
            similar = [alike(holder[key], random)] * 30
            holder[key] = json.loads(json.dumps(random.choice([*others, *similar])))
        if random.random() < 0.7:
            name = random.choice(names)
            array = arrays[name]
            others = [array[:0], array[None], array[::-1].copy()]
            with np.errstate(all="ignore"):
                others.append(-array.astype(np.int64) - 1)
            arrays[name] = random.choice([*others, *[alike_array(array, random)] * 4])
        saved_files.write_file(path, content, arrays)
        return path.read_bytes()


DAMAGES = {"bytes": damage_bytes, "header": change_header, "content": change_content}


def outcome_of(path, sampler):
    """Load a file; return whether it was refused, or is the same sampler or another one."""
    try:
        loaded = VAEOversampler.load(path)
    except SavedSamplerError:
        return "refused"
    try:
        with np.errstate(all="ignore"):
            drawn = [repr(loaded.sample(label, 5, random_state=0)) for label in loaded.vaes_]
    except MemoryError:
        raise
    except Exception:
        return "another sampler, which cannot draw"
    same = [repr(sampler.sample(label, 5, random_state=0)) for label in sampler.vaes_]
    return "the same sampler" if drawn == same else "another sampler"


def main() -> None:
    import resource  # which Windows does not have

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n_files", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    samplers = [small_sampler(table) for table in ("pandas", "polars", "list", "array", "csr")]
    outcomes, failures = {kind: Counter() for kind in DAMAGES}, []
    longest, first_peak = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sampler"
        originals = []
        for sampler in samplers:
            sampler.save(path)
            originals.append(path.read_bytes())
        for number in range(options.n_files):
            kind = list(DAMAGES)[number % len(DAMAGES)]
            which = number % len(samplers)
            random = Random(f"{options.seed}, {number}")
            path.write_bytes(DAMAGES[kind](originals[which], random))
            signal.alarm(LONGEST)
            start = time.perf_counter()
            try:
                outcome = outcome_of(path, samplers[which])
            except BaseException as error:
                outcome = f"failed: {type(error).__name__}"
                failures.append(f"file {number}, {kind}: {error!r:.200}")
            longest = max(longest, time.perf_counter() - start)
            signal.alarm(0)
            outcomes[kind][outcome] += 1
            if outcome.startswith("another") and kind != "content":
                failures.append(f"file {number}, {kind}: {outcome}")
            if number == N_FIRST:
                first_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - first_peak) / 1024
    for kind, counts in outcomes.items():
        print(f"{counts.total():,} files, {kind} changed: {dict(counts)}")
    print(
        f"at most {longest:.2f} s a file; peak memory {growth:+.0f} MiB after {N_FIRST} files"
    )
    sys.exit("\n".join(failures) or None)


def stop(*_):
    raise TimeoutError(f"more than {LONGEST} s")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, stop)
    main()
