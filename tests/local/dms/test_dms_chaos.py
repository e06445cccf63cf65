"""The adversary: the same seed does the same mischief, and whatever it does, nothing is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from local.dms.chaos import NONE, Chaos, Mischief
from local.dms.sender import StreamCut
from local.dms.target import FolderTarget


def test_the_same_seed_gives_the_same_mischief_and_another_seed_another() -> None:
    def decisions(seed: int | None) -> list[Mischief]:
        return [Chaos(seed).for_file(table, n) for table in ("a", "b") for n in range(1, 200)]

    assert decisions(7) == decisions(7)
    assert decisions(7) != decisions(8)
    assert set(decisions(None)) == {NONE}
    done = Counter(name for one in decisions(7) for name, value in vars(one).items() if value not in (None, False))
    assert set(done) == {"split", "duplicate", "hold", "repeat", "restart"}


class Scripted(Chaos):
    """Does what the test says to the files of a table, in order."""

    def __init__(self, *script: Mischief) -> None:
        super().__init__(None)
        self._script = script

    def for_file(self, table: str, ordinal: int) -> Mischief:
        return self._script[ordinal - 1] if ordinal <= len(self._script) else NONE


class Recorder(FolderTarget):
    """A folder that remembers names and ids in the order in which they came."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.puts: list[tuple[str, list[int]]] = []

    def put(self, key: str, file: Path) -> None:
        self.puts.append((key.rsplit("/", 1)[1], pq.ParquetFile(file).read().column("id").to_pylist()))
        super().put(key, file)


@pytest.fixture
def stream(shop: Any, replay: Any) -> Any:
    """A replay that writes the file of each inserted id apart, with ``mischief``."""

    def run(*mischief: Mischief, each: int = 1) -> Any:
        shop.run("CREATE TABLE shop.t (id int PRIMARY KEY)")
        recorder = Recorder(replay.landing / "landing")
        replay.begin(chaos=Scripted(*mischief), target=recorder)
        for first in range(1, 3 * each + 1, each):
            shop.run(f"INSERT INTO shop.t SELECT generate_series({first}, {first + each - 1})")
            replay.feed()
            replay.now += 2
            replay.writer.flush_due()
        return recorder.puts

    return run


def test_a_held_file_comes_after_the_next_with_its_own_earlier_name(stream: Any, replay: Any) -> None:
    puts = stream(replace(NONE, hold=True))
    assert [ids for _, ids in puts] == [[2], [1], [3]]
    assert puts[1][0] < puts[0][0] < puts[2][0]


def test_a_held_file_holds_the_safe_position_until_its_time_is_over(stream: Any, replay: Any) -> None:
    puts = stream(NONE, NONE, replace(NONE, hold=True))
    assert [ids for _, ids in puts] == [[1], [2]]
    before = replay.writer.safe_position()
    replay.now = replay.writer.flush_due()
    assert replay.writer.flush_due() is None
    assert [ids for _, ids in puts] == [[1], [2], [3]]
    assert replay.writer.safe_position().lsn > before.lsn


def test_a_duplicate_has_another_name_and_a_repetition_the_same(stream: Any) -> None:
    puts = stream(replace(NONE, duplicate=True), replace(NONE, repeat=True))
    assert [ids for _, ids in puts] == [[1], [1], [2], [2], [3]]
    names = [name for name, _ in puts]
    assert names[0] < names[1] < names[2] == names[3] < names[4]


def test_an_interval_is_split_over_two_files(stream: Any) -> None:
    puts = stream(replace(NONE, split=0.3), each=10)
    assert [ids for _, ids in puts][:2] == [[1, 2, 3], [4, 5, 6, 7, 8, 9, 10]]
    assert puts[0][0] < puts[1][0]


def test_a_cut_stream_saves_no_position(stream: Any, replay: Any) -> None:
    with pytest.raises(StreamCut):
        stream(replace(NONE, restart=True))
    assert len(replay.files("shop.t")) == 1
    assert replay.writer.safe_position().counter < replay.writer.counter
