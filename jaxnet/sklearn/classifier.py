"""`JaxnetClassifier`: the network of the article as a classifier of scikit-learn."""

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state, column_or_1d, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from jaxnet import defaults
from jaxnet.activations import leaky_relu, relu, sigmoid
from jaxnet.devices import at_precision
from jaxnet.epochs import true_batch
from jaxnet.errors import DataError, UsageError, require_integer
from jaxnet.network import init_params
from jaxnet.normals import make_key
from jaxnet.optimizer import sgd
from jaxnet.sklearn.checks import (
    Arrays,
    check_parameters,
    given_params,
    hidden_units,
    require_known,
    require_two,
)
from jaxnet.sklearn.solver import Data, Network, Plan, train_epochs

# By MLPClassifier's names: the activation, and the same function in NumPy for predictions.
ACTIVATIONS = {
    "relu": (relu, lambda Z: np.maximum(Z, 0)),
    "leaky_relu": (leaky_relu, lambda Z: np.where(Z > 0, Z, 0.01 * Z)),
    "logistic": (sigmoid, expit),
}

# MLPClassifier's batch_size "auto".
AUTO_BATCH = 200

# Other types become the first of these.
FLOATS = (np.float64, np.float32)


class JaxnetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One hidden layer for two classes, trained by gradient descent.

    Parameters and attributes have the names and the meaning that MLPClassifier gives them. The
    defaults are those of `jaxnet.fit`: the article's gradient descent, in which every step sees all
    examples. float32 is trained in float32, everything else in float64, whatever JAX is set to.

    Args:
        hidden_layer_sizes: The number of hidden units, as an integer or a sequence of one.
        activation: That of the hidden units: "relu", "leaky_relu" or "logistic".
        solver: "sgd".
        alpha: A step descends its loss + (alpha/2)(‖W1‖² + ‖W2‖²) / n, where n is the number of its
            examples, or the sum of their weights.
        batch_size: How many examples a step sees, or all if there are fewer; None for all, "auto"
            for 200.
        learning_rate_init: The learning rate, which stays as it is.
        max_iter: How many epochs `fit` makes at most; an epoch sees every example once.
        shuffle: Whether mini-batches are drawn in a new order each epoch.
        random_state: Decides the initial weights and the order. An integer is jaxnet's seed.
        tol: By how much an epoch has to lower the least loss so far; see n_iter_no_change.
        warm_start: Whether `fit` starts from the weights that the last training reached.
        momentum: The share of the last step that is repeated.
        nesterovs_momentum: Whether the momentum is Nesterov's.
        n_iter_no_change: `fit` ends after more consecutive epochs than these whose loss was not
            lower by tol; by default never.
        weight_scale: The standard deviation of the initial weights, or "he": √(2 / inputs of the
            layer). MLPClassifier has no such parameter, and draws larger weights.
        class_weight: The weight of each class as a dict, or "balanced"; None weighs both alike.

    Attributes:
        classes_: The two classes, (2,).
        coefs_: The weights W1ᵀ (n_features, n_hidden) and W2ᵀ (n_hidden, 1).
        intercepts_: The biases b1 (n_hidden,) and b2 (1,).
        loss_curve_: The loss of each epoch, with the penalty of alpha: the mean over its examples,
            each before the step that sees it.
        loss_: The last of them.
        n_iter_: How many epochs the last training made.
        n_features_in_: The number of features.
        feature_names_in_: Their names, if they have some.
    """

    classes_: np.ndarray
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_curve_: list[float]
    loss_: float
    n_iter_: int
    _velocity: Arrays | None

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (defaults.HIDDEN_UNITS,),
        activation: str = "relu",
        *,
        solver: str = "sgd",
        alpha: float = 0.0,
        batch_size: int | str | None = None,
        learning_rate_init: float = defaults.LEARNING_RATE,
        max_iter: int = defaults.ITERATIONS,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
        tol: float = 1e-4,
        warm_start: bool = False,
        momentum: float = defaults.MOMENTUM,
        nesterovs_momentum: bool = False,
        n_iter_no_change: float = math.inf,
        weight_scale: float | str = defaults.WEIGHT_SCALE,
        class_weight: dict[Any, float] | str | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.n_iter_no_change = n_iter_no_change
        self.weight_scale = weight_scale
        self.class_weight = class_weight

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        coef_init: Sequence[ArrayLike] | None = None,
        intercept_init: Sequence[ArrayLike] | None = None,
    ) -> Self:
        """Train the network.

        Args:
            X: (n_samples, n_features).
            y: Two classes, (n_samples,).
            sample_weight: The weight of each example, (n_samples,).
            coef_init: The initial weights, as `coefs_` has them.
            intercept_init: The initial biases, as `intercepts_` has them.

        Raises:
            ValueError: If a parameter or an array cannot be used, or a loss or a parameter of the
                network is not finite.
        """
        check_parameters(self, ACTIVATIONS)
        continues = self.warm_start and hasattr(self, "coefs_")
        X, y = self._convert(X, y, reset=not continues)
        classes = require_two(np.unique(y), "y")
        if continues:
            require_known(classes, self.classes_, "y")
        seed, start = self._start(X, continues=continues)
        params = start.params | given_params(coef_init, intercept_init, start.params)
        data = self._data(X, y, sample_weight, classes)
        earlier = self.loss_curve_ if continues else []
        ended = self._train(Network(params), data, earlier, seed, epochs=self.max_iter)
        self.classes_ = classes
        if not ended and self.n_iter_no_change != math.inf:
            warnings.warn(
                f"max_iter is {self.max_iter}, and the loss is still falling by more than tol: "
                "train longer, or leave n_iter_no_change out",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
    ) -> Self:
        """Make one epoch over these examples, from where the last training ended.

        Args:
            X: (n_samples, n_features).
            y: The two classes, or one of them, (n_samples,).
            sample_weight: The weight of each example, (n_samples,).
            classes: The two classes, which the first call needs.

        Raises:
            ValueError: As `fit`.
        """
        check_parameters(self, ACTIVATIONS)
        if isinstance(self.class_weight, str):
            raise UsageError(
                f'class_weight is "{self.class_weight}" in partial_fit',
                "a weight for each class, since one call does not see all of y",
                "give a dict; compute_class_weight of scikit-learn computes its numbers",
            )
        continues = hasattr(self, "coefs_")
        X, y = self._convert(X, y, reset=not continues)
        if continues:
            known = self.classes_
        elif classes is None:
            raise UsageError(
                "classes is None in the first call of partial_fit",
                "the two classes, since these examples may be of one class only",
                "give classes=numpy.unique(y) of all y",
            )
        else:
            known = require_two(np.unique(np.asarray(classes)), "classes")
        require_known(y, known, "y")
        require_known(np.asarray(known if classes is None else classes), known, "classes")
        seed, start = self._start(X, continues=continues)
        data = self._data(X, y, sample_weight, known)
        self._train(start, data, self.loss_curve_ if continues else [], seed, epochs=1)
        self.classes_ = known
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Compute the logit of the second class, (n_samples,); above 0 it is predicted."""
        check_is_fitted(self, "coefs_")
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        _, activate = ACTIVATIONS[self.activation]
        A1 = activate(X @ self.coefs_[0] + self.intercepts_[0])  # (m, n_h)
        Z2: np.ndarray = A1 @ self.coefs_[1] + self.intercepts_[1]  # (m, 1)
        return Z2[:, 0]

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict the class of each example, (n_samples,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Compute the probability of each class, (n_samples, 2)."""
        Z2 = self.decision_function(X)
        return np.column_stack([expit(-Z2), expit(Z2)])

    def predict_log_proba(self, X: ArrayLike) -> np.ndarray:
        """Compute the logarithms of the probabilities from the logits, (n_samples, 2)."""
        Z2 = self.decision_function(X)
        return np.column_stack([log_expit(-Z2), log_expit(Z2)])

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that there are two classes only."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _convert(self, X: Any, y: Any, *, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return X (m, n_x) as float32 or float64, and y (m,) of at most two classes."""
        X, y = validate_data(self, X, y, dtype=FLOATS, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind != "binary":
            raise DataError(
                f"Only binary classification is supported. The type of the target is {kind}.",
                "two classes",
                "wrap the classifier into OneVsRestClassifier, or take MLPClassifier",
            )
        return X, y

    def _start(self, X: np.ndarray, *, continues: bool) -> tuple[int, Network]:
        """Return the seed of a training, and the network that it starts from."""
        seed, n_h = self._seed(), hidden_units(self.hidden_layer_sizes)
        if not continues:
            with at_precision(X.dtype):
                key, scale = make_key(seed), self.weight_scale
                drawn = init_params(key, X.shape[1], n_h, weight_scale=scale, dtype=X.dtype)
                return seed, Network({name: np.asarray(leaf) for name, leaf in drawn.items()})
        W1, W2 = (weights.T.astype(X.dtype) for weights in self.coefs_)
        b1, b2 = (biases[:, None].astype(X.dtype) for biases in self.intercepts_)
        if len(W1) != n_h:
            raise UsageError(
                f"hidden_layer_sizes is {self.hidden_layer_sizes}, but the network that is trained "
                f"further has {len(W1)} hidden units",
                "as many as before",
                "set hidden_layer_sizes back, or clone the estimator",
            )
        return seed, Network({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, self._velocity)

    def _seed(self) -> int:
        """Return a random state as a seed of jaxnet."""
        if isinstance(self.random_state, numbers.Integral):
            require_integer("random_state", self.random_state, 0, defaults.LARGEST_SEED)
            return int(self.random_state)
        random = check_random_state(self.random_state)
        return int(random.randint(defaults.LARGEST_SEED + 1, dtype=np.uint64))

    def _data(self, X: np.ndarray, y: np.ndarray, weights: Any, classes: np.ndarray) -> Data:
        """Put examples, labels and weights together."""
        labels = y == classes[1]
        weights = _check_sample_weight(weights, X, dtype=X.dtype, ensure_non_negative=True)
        of_class = compute_class_weight(self.class_weight, classes=classes, y=y)
        weights = weights * of_class[labels.astype(int)].astype(X.dtype)
        if not (weights.any() and np.isfinite(weights).all()):
            raise DataError(
                f"the weights run from {weights.min()} to {weights.max()}",
                "finite numbers, not all of them 0",
                "correct sample_weight and class_weight",
            )
        return Data(X, labels, weights)

    def _train(
        self, start: Network, data: Data, earlier: list[float], seed: int, *, epochs: int
    ) -> bool:
        """Train a network and keep it; return whether it ended since its loss fell no more."""
        batch = AUTO_BATCH if isinstance(self.batch_size, str) else self.batch_size
        plan = Plan(
            hidden=ACTIVATIONS[self.activation][0],
            optimizer=sgd(self.learning_rate_init, self.momentum, bool(self.nesterovs_momentum)),
            alpha=self.alpha,
            batch=true_batch(len(data.X), batch),
            seed=seed if self.shuffle else None,
            epochs=epochs,
            tol=self.tol,
            patience=self.n_iter_no_change if epochs > 1 else math.inf,
        )
        (params, self._velocity), losses, ended = train_epochs(start, data, plan, earlier)
        self.coefs_ = [params[name].T.copy() for name in ("W1", "W2")]
        self.intercepts_ = [params[name][:, 0].copy() for name in ("b1", "b2")]
        self.loss_curve_ = [*earlier, *losses]
        self.loss_, self.n_iter_ = losses[-1], len(losses)
        return ended
