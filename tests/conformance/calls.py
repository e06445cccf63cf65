"""Every call of an applier to its stores and its lease, counted, and something done at one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

# What is asked of these has no effect that could be lost with the answer.
_QUESTIONS = {"list", "has_folder", "etag", "fetch", "read_bytes"}
_NO_CALLS = {"delta_options", "url", "root"}


class Calls:
    """Counts calls, and runs ``action`` right before or ``after`` the call number ``at`` (from 1; 0: none).

    ``names`` are the calls so far, such as ``lake.put``.
    """

    def __init__(self, action: Callable[[], None] | None = None, *, at: int = 0, after: bool = False) -> None:
        self._action, self._at, self._after = action, at, after
        self.names: list[str] = []

    def store(self, name: str, store: Any) -> Any:
        """The store, watched."""
        return _Watched(name, store, self)

    def lease(self, lease: Any) -> Any:
        """The lease, watched, as are the leases it hands out."""
        return _Watched("lease", lease, self)

    def points(self, *, each: bool) -> Iterator[tuple[int, bool]]:
        """Where one more run like the one that was counted can be interrupted: (at, after).

        Not ``each``: of questions of one kind in a row the first stands for all.
        """
        for number, name in enumerate(self.names, start=1):
            question = name.partition(".")[2] in _QUESTIONS
            if each or not question or number == 1 or name != self.names[number - 2]:
                yield number, False
            if not question:
                yield number, True

    def run(self, name: str, call: Callable[[], Any]) -> Any:
        """Make one call."""
        self.names.append(name)
        here = len(self.names) == self._at and self._action is not None
        if here and not self._after:
            self._action()  # type: ignore[misc]
        answer = call()
        if here and self._after:
            self._action()  # type: ignore[misc]
        return answer


class _Watched:
    def __init__(self, name: str, target: Any, calls: Calls) -> None:
        self._name, self._target, self._calls = name, target, calls

    @property
    def calls(self) -> Calls:
        """Who counts."""
        return self._calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if name in _NO_CALLS:
            return found

        def call(*args: Any, **named: Any) -> Any:
            def work() -> Any:
                answer = found(*args, **named)
                return list(answer) if isinstance(answer, Iterator) else answer

            answer = self._calls.run(f"{self._name}.{name}", work)
            if name == "acquire":
                return _Watched("held", answer, self._calls)
            return iter(answer) if isinstance(answer, list) else answer

        return call
