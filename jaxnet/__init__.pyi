from .activations import ACTIVATIONS, Activation, leaky_relu, relu, sigmoid
from .backprop import Gradients, backward
from .compilation_cache import cache_programs, clear_programs
from .curvature import Sharpness, hessian_product, sharpness
from .data.columns import to_columns, to_row
from .data.dataset import Dataset, Split
from .data.duplicates import find_pairs, without_leaks
from .data.find_pictures import PictureFiles, find_pictures
from .data.load import load_dataset
from .data.preprocessing import Preprocessing
from .data.source import DataSource
from .data.stored import StoredPictures, open_pictures, open_splits
from .data.stream import batches
from .data.to_examples import to_examples
from .data.too_large import open_if_large
from .data.validation_set import hold_out_validation
from .data.write_stored import Written, write_pictures
from .descent import TrainState
from .devices import use_all_cores
from .errors import DataError, DivergenceError, JaxnetError, ModelFileError, UsageError
from .evaluation.audit import Audit, audit
from .evaluation.cross_validation import CrossValidationScores, score_cross_validation
from .evaluation.diagnosis import Diagnosis, diagnose
from .evaluation.doctor.all_checks import check_pipeline, check_run
from .evaluation.doctor.check import Check, Checks
from .evaluation.doctor.pipeline import Pipeline
from .evaluation.evaluate import Evaluation, evaluate
from .evaluation.forecast import Forecast, forecast
from .evaluation.improvement.improve import improve
from .evaluation.improvement.judge import Improvement
from .evaluation.influence import influence, memorisation, summarise_influence
from .evaluation.installation import Info, info
from .evaluation.learning_rate import ChosenRate, choose_learning_rate
from .evaluation.predictions import Prediction, Predictions, predict_pictures
from .evaluation.spread import spread_over_seeds
from .evaluation.tutor.check import (
    Tutoring,
    check_backprop,
    check_forward,
    check_loss,
    check_training,
    check_update,
)
from .evaluation.tutor.hand_in import HandIn, check_file
from .evaluation.tutor.judge import Deviation
from .examples import Examples, balancing_weights, make_examples, select
from .many.folds import CrossValidation, cross_validate
from .many.grid import Grid
from .many.learning_curve import LearningCurve, learning_curve
from .many.leave_one_out import LeaveOneOut, leave_one_out
from .many.seeds import Seeds, train_seeds
from .many.sweep import Sweep, sweep
from .minibatches import draw_batches, epoch_costs
from .network import Forward, Params, accuracy, count_params, forward, init_params, loss, predict
from .optimizer import sgd
from .outcomes import label_entropy, outcome
from .processes import alone, is_first_process, join_processes, process_count, process_index
from .progress import show_progress
from .report.card import model_card
from .report.figures.contact_sheet import plot_pictures
from .report.figures.cross_validation import plot_cross_validation
from .report.figures.evaluation import (
    plot_calibration,
    plot_confusion,
    plot_evaluation,
    plot_most_wrong,
    plot_roc,
)
from .report.figures.improvement import plot_improvement
from .report.figures.influence import plot_influence
from .report.figures.learning_curve import plot_learning_curve
from .report.figures.sweep import plot_sweep
from .report.figures.training import plot_costs, plot_hidden_units, plot_training
from .report.page.build import empty_page
from .runs.ensemble import train_ensemble
from .runs.export import Exported, export_model
from .runs.imports import Imported, import_classifier, import_model
from .runs.model import Model
from .runs.model_file import load_model, save_model
from .runs.page import Page
from .runs.repeat import Repetition, repeat
from .runs.run import Run, first_params, load_data_for, load_run
from .runs.train import resume, train
from .settings import Settings, vary
from .shifts import Shifts
from .training import Descent, Fit, fit, fit_in_chunks, make_update, start_descent

__version__: str

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Audit",
    "Check",
    "Checks",
    "ChosenRate",
    "CrossValidation",
    "CrossValidationScores",
    "DataError",
    "DataSource",
    "Dataset",
    "Descent",
    "Deviation",
    "Diagnosis",
    "DivergenceError",
    "Evaluation",
    "Examples",
    "Exported",
    "Fit",
    "Forecast",
    "Forward",
    "Gradients",
    "Grid",
    "HandIn",
    "Imported",
    "Improvement",
    "Info",
    "JaxnetError",
    "LearningCurve",
    "LeaveOneOut",
    "Model",
    "ModelFileError",
    "Page",
    "Params",
    "PictureFiles",
    "Pipeline",
    "Prediction",
    "Predictions",
    "Preprocessing",
    "Repetition",
    "Run",
    "Seeds",
    "Settings",
    "Sharpness",
    "Shifts",
    "Split",
    "StoredPictures",
    "Sweep",
    "TrainState",
    "Tutoring",
    "UsageError",
    "Written",
    "accuracy",
    "alone",
    "audit",
    "backward",
    "balancing_weights",
    "batches",
    "cache_programs",
    "check_backprop",
    "check_file",
    "check_forward",
    "check_loss",
    "check_pipeline",
    "check_run",
    "check_training",
    "check_update",
    "choose_learning_rate",
    "clear_programs",
    "count_params",
    "cross_validate",
    "diagnose",
    "draw_batches",
    "empty_page",
    "epoch_costs",
    "evaluate",
    "export_model",
    "find_pairs",
    "find_pictures",
    "first_params",
    "fit",
    "fit_in_chunks",
    "forecast",
    "forward",
    "hessian_product",
    "hold_out_validation",
    "import_classifier",
    "import_model",
    "improve",
    "influence",
    "info",
    "init_params",
    "is_first_process",
    "join_processes",
    "label_entropy",
    "leaky_relu",
    "learning_curve",
    "leave_one_out",
    "load_data_for",
    "load_dataset",
    "load_model",
    "load_run",
    "loss",
    "make_examples",
    "make_update",
    "memorisation",
    "model_card",
    "open_if_large",
    "open_pictures",
    "open_splits",
    "outcome",
    "plot_calibration",
    "plot_confusion",
    "plot_costs",
    "plot_cross_validation",
    "plot_evaluation",
    "plot_hidden_units",
    "plot_improvement",
    "plot_influence",
    "plot_learning_curve",
    "plot_most_wrong",
    "plot_pictures",
    "plot_roc",
    "plot_sweep",
    "plot_training",
    "predict",
    "predict_pictures",
    "process_count",
    "process_index",
    "relu",
    "repeat",
    "resume",
    "save_model",
    "score_cross_validation",
    "select",
    "sgd",
    "sharpness",
    "show_progress",
    "sigmoid",
    "spread_over_seeds",
    "start_descent",
    "summarise_influence",
    "sweep",
    "to_columns",
    "to_examples",
    "to_row",
    "train",
    "train_ensemble",
    "train_seeds",
    "use_all_cores",
    "vary",
    "without_leaks",
    "write_pictures",
]
