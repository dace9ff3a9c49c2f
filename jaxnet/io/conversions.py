"""Lines of Python that convert files which are not read here into files and folders that are.

They are printed for the user, never run here: those of a pickle would run what the pickle says.
"""

import os
from pathlib import Path
from typing import NamedTuple


class Conversion(NamedTuple):
    """How a kind of file becomes one that is read.

    Attributes:
        lines: The lines of Python, with {path} for the file and {result} for what is made of it.
        ending: The ending of the result's name: ".npz", or "" for a folder.
        note: What else to know, or "".
    """

    lines: tuple[str, ...]
    ending: str
    note: str = ""

    def describe(self, path: Path) -> str:
        """Put the conversion of a file into words, with its lines."""
        result = path.with_name(path.name.split(".")[0] + self.ending)
        if os.path.lexists(result):  # the lines must overwrite nothing
            other = path.with_name(f"{result.stem}-converted")
            # An archive often holds one folder of its own name; a folder that is doubled is read.
            result = other.with_suffix(self.ending) if self.ending else other / result.name
        named = {"path": repr(str(path)), "result": repr(str(result))}
        lines = "".join(f"\n    {line.format(**named)}" for line in self.lines)
        note = f" ({self.note})" if self.note else ""
        return f"convert it by these lines of Python{note}, then give {result}:{lines}"


_NAMES = "put in the names under which it has the pictures and the labels"
_TAR = Conversion(
    (
        "import tarfile",
        "with tarfile.open({path}) as archive:",
        '    archive.extractall({result}, filter="data")',
    ),
    "",
)

# By the kind of the file, as jaxnet.io.content names it.
CONVERSIONS = {
    "a NumPy array (.npy)": Conversion(
        (
            "import numpy",
            'numpy.savez({result}, X=numpy.load({path}), y=numpy.load("labels.npy"))',
        ),
        ".npz",
        "put in the name of the file with the labels",
    ),
    "a Python pickle": Conversion(
        (
            "import numpy, pickle",
            'with open({path}, "rb") as file:',
            "    data = pickle.load(file)",
            'numpy.savez({result}, X=data["images"], y=data["labels"])',
        ),
        ".npz",
        f"only if you trust its author, since a pickle can run any program; {_NAMES}",
    ),
    "a MATLAB file of version 5": Conversion(
        (
            "import numpy, scipy.io",
            "data = scipy.io.loadmat({path})",
            'numpy.savez({result}, X=data["X"], y=data["y"].ravel())',
        ),
        ".npz",
        _NAMES,
    ),
    "a Parquet table": Conversion(
        (
            "import pandas, pathlib",
            "for number, row in pandas.read_parquet({path}).iterrows():",
            '    folder = pathlib.Path({result}, str(row["label"]))',
            "    folder.mkdir(parents=True, exist_ok=True)",
            '    (folder / f"{{number}}.png").write_bytes(row["image"]["bytes"])',
        ),
        "",
        "put in the names of its columns",
    ),
    "a table of pixels": Conversion(
        (
            "import numpy",
            'table = numpy.loadtxt({path}, "int64", delimiter=",", skiprows=1)',
            'numpy.savez({result}, X=table[:, 1:].astype("uint8"), y=table[:, 0])',
        ),
        ".npz",
        "the labels are in column 0, below one row of names; else change the numbers",
    ),
    "a ZIP archive": Conversion(
        ("import shutil", 'shutil.unpack_archive({path}, {result}, "zip")'), ""
    ),
    "a tar archive": _TAR,
    "a tar archive, compressed by gzip": _TAR,
    "an HDF5 file that pandas wrote": Conversion(
        (
            "import numpy, pandas",
            "data = pandas.read_hdf({path})",
            'X = data.drop(columns="label").to_numpy("uint8")',
            'numpy.savez({result}, X=X, y=data["label"].to_numpy())',
        ),
        ".npz",
        "put in the name of the column with the labels",
    ),
}
