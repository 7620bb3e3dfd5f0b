"""One answer for one question, however many probes ask it at the same time."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Once:
    """A memo of one investigation, shared by threads: the first asker looks, the others get its answer or error."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, question: Hashable, look: Callable[[], T]) -> T:
        """Return the answer to the question, looking only if nobody has yet."""
        with self._lock:
            mine = question not in self._answers
            answer = self._answers.setdefault(question, Future())
        if mine:
            try:
                answer.set_result(look())
            except BaseException as error:  # noqa: BLE001 - handed to everyone who asked, and raised below
                answer.set_exception(error)
        return cast("T", answer.result())
