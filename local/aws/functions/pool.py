"""The execution environments of all functions: reused while warm, started when busy, replaced when changed."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from local.aws.functions.environment import Answer, Environment
from local.aws.functions.package import Function, PackageStore

MOST_ENVIRONMENTS = 8
"""Environments of one function at a time. More concurrent calls wait; on AWS the account's limit is 1,000."""


class FunctionPool:
    """Runs invocations. ``folder`` receives ``logs/<function>.log``; ``endpoint`` is the AWS the functions see."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._packages = PackageStore(folder / "functions")
        self._environments = folder / "environments"
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._idle: dict[str, list[Environment]] = defaultdict(list)
        self._busy: set[Environment] = set()
        self._rooms: dict[str, threading.BoundedSemaphore] = {}
        self._stopped = False

    def invoke(self, function: Function, event: bytes, request_id: str) -> Answer:
        """Run ``function`` on ``event`` (JSON), in a warm environment if one is free."""
        with self._lock:
            room = self._rooms.setdefault(function.name, threading.BoundedSemaphore(MOST_ENVIRONMENTS))
        with room:
            environment = self._take(function)
            try:
                answer = environment.invoke(event, request_id)
            except BaseException:
                self._drop(environment)
                raise
            if answer.usable:
                self._give_back(environment)
            else:
                self._drop(environment)
        self._write_log(function.name, answer.log)
        return answer

    def stop(self) -> None:
        """End all environments, busy ones included."""
        with self._lock:
            self._stopped = True
            environments = [*self._busy, *itertools.chain.from_iterable(self._idle.values())]
            self._idle.clear()
        with ThreadPoolExecutor(max_workers=MOST_ENVIRONMENTS) as stoppers:
            list(stoppers.map(Environment.stop, environments))
        shutil.rmtree(self._environments, ignore_errors=True)

    def _take(self, function: Function) -> Environment:
        with self._lock:
            if self._stopped:
                raise RuntimeError("the local AWS is stopping")
            warm = self._idle[function.name]
            outdated = [environment for environment in warm if environment.function != function]
            for environment in outdated:
                warm.remove(environment)
            environment_or_none = warm.pop() if warm else None
            if environment_or_none is not None:
                self._busy.add(environment_or_none)
        for environment in outdated:
            environment.stop()
        return environment_or_none or self._start(function)

    def _start(self, function: Function) -> Environment:
        code = self._packages.unpacked(function.code, function.code_sha)
        layers = [
            path
            for package, sha in zip(function.layers, function.layer_shas, strict=True)
            if (path := self._packages.layer_path(package, sha)) is not None
        ]
        folder = self._environments / f"{function.name}-{next(self._numbers)}"
        environment = Environment(function, code, layers, folder, self._endpoint)
        with self._lock:
            self._busy.add(environment)
        return environment

    def _give_back(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
            if not self._stopped:
                self._idle[environment.function.name].append(environment)

    def _drop(self, environment: Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
        environment.stop()

    def _write_log(self, name: str, text: str) -> None:
        if text:
            with self._lock, (self._folder / "logs" / f"{name}.log").open("a") as log:
                log.write(text)
