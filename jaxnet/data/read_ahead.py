"""Reading ahead: a thread computes the next elements of an iterator while the last one is used."""

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

T = TypeVar("T")

# How often a thread looks whether its elements are still wanted, in seconds.
LOOKS = 0.1


def read_ahead(elements: Iterator[T], count: int) -> Generator[T, None, None]:
    """Yield the elements of an iterator, up to `count` of which a thread computes in advance.

    An exception in the iterator is raised here, after the elements before it. When the generator
    is closed, the thread ends and closes the iterator.
    """
    ready: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(count)
    ended = threading.Event()

    def put(kind: str, value: T | BaseException | None) -> bool:
        while not ended.is_set():
            with contextlib.suppress(queue.Full):
                ready.put((kind, value), timeout=LOOKS)
                return True
        return False

    def run() -> None:
        try:
            for element in elements:
                if not put("element", element):
                    break
            else:
                put("end", None)
        except BaseException as error:  # it is raised in the other thread
            put("error", error)
        finally:
            if isinstance(elements, Generator):
                elements.close()

    thread = threading.Thread(target=run, name="jaxnet reads ahead", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "error":
                assert isinstance(value, BaseException)
                raise value
            if kind == "end":
                return
            yield value  # type: ignore[misc]
    finally:
        ended.set()
        thread.join()
