"""How often the test set of a run was scored: a file in its folder, one line each time."""

from datetime import UTC, datetime
from pathlib import Path

from jaxnet.data.all_pictures import Data
from jaxnet.data.dataset import Dataset
from jaxnet.io.names import SCORINGS_NAME
from jaxnet.runs.run import Run


def count_scoring(run: Run, data: Data, folder: Path, by: str) -> tuple[str, ...]:
    """Record that the test set of a run is scored; return all that has scored it, this included.

    `jaxnet train` scores it, too, when a run ends, which needs no line. Only the run's own pictures
    count, those in memory. Where nothing can be written, the file stays as it is.

    Args:
        run: The run.
        data: The pictures that are scored.
        folder: The folder of the run.
        by: What scores them.

    Returns:
        A text for each time, such as "jaxnet evaluate, 2026-01-31"; nothing if the pictures are not
        the run's, or have no test set.
    """
    if not isinstance(data, Dataset) or data.test is None:
        return ()
    if run.origin.get("sha256") != data.sha256:
        return ()
    path = folder / SCORINGS_NAME
    line = f"{by}, {datetime.now(UTC):%Y-%m-%d}"
    try:
        earlier = path.read_text("utf-8").splitlines() if path.exists() else []
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except (OSError, UnicodeDecodeError):  # a read-only folder, say: what is asked for is the score
        earlier = []
    trained = ["jaxnet train"] if run.origin.get("command") else []
    return (*trained, *earlier, line)
