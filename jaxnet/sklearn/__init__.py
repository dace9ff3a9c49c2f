"""The network as a classifier of scikit-learn: `JaxnetClassifier`, and a search over it."""

try:
    # scikit-learn's own, since imports are absolute; releases before 1.6 lack this name.
    from sklearn.utils.validation import validate_data as _validate_data  # noqa: F401
except ImportError as _cause:
    raise ImportError(
        "jaxnet.sklearn needs scikit-learn 1.7 or newer: install the extra sklearn"
    ) from _cause

from jaxnet.sklearn.classifier import JaxnetClassifier
from jaxnet.sklearn.search import JaxnetSearchCV

__all__ = ["JaxnetClassifier", "JaxnetSearchCV"]
