from .activations import ACTIVATIONS, Activation, leaky_relu, relu, sigmoid
from .backprop import Gradients, backward
from .curvature import Sharpness, hessian_product, sharpness
from .data.columns import Preprocessing, balancing_weights, to_columns, to_row
from .data.dataset import Dataset, Split
from .data.load import load_dataset
from .devices import use_all_cores
from .errors import DataError, DivergenceError, JaxnetError, ModelFileError, UsageError
from .many.sweep import Sweep, sweep
from .network import Forward, Params, accuracy, count_params, forward, init_params, loss, predict
from .optimizer import sgd
from .outcomes import label_entropy, outcome
from .runs.model_file import Model, load_descent, load_model, save_model
from .training import (
    Basis,
    Descent,
    Fit,
    TrainState,
    fit,
    fit_in_chunks,
    make_update,
    start_descent,
)

__version__: str

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Basis",
    "DataError",
    "Dataset",
    "Descent",
    "DivergenceError",
    "Fit",
    "Forward",
    "Gradients",
    "JaxnetError",
    "Model",
    "ModelFileError",
    "Params",
    "Preprocessing",
    "Sharpness",
    "Split",
    "Sweep",
    "TrainState",
    "UsageError",
    "accuracy",
    "backward",
    "balancing_weights",
    "count_params",
    "fit",
    "fit_in_chunks",
    "forward",
    "hessian_product",
    "init_params",
    "label_entropy",
    "leaky_relu",
    "load_dataset",
    "load_descent",
    "load_model",
    "loss",
    "make_update",
    "outcome",
    "predict",
    "relu",
    "save_model",
    "sgd",
    "sharpness",
    "sigmoid",
    "start_descent",
    "sweep",
    "to_columns",
    "to_row",
    "use_all_cores",
]
