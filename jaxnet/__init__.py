"""How a neural network learns: one hidden layer, in JAX, from pictures to a trained network.

In reading order; a file imports only from files above it:

    display                      results show themselves, by what report/ makes of them
    errors, machine, explain     what can go wrong, and in which words
    defaults, progress           the article's numbers; progress reporting
    processes                    several processes that work together
    devices, compilation_cache   devices, precision, compilation; compiled programs on the disk
    activations                  g(z) and g′(z)
    arrays                       checks of what public functions are given
    network                      init_params, forward, loss, predict, accuracy
    backprop                     the article's formulas, in the order they are computed
    examples                     X, Y and their weights; select: what a step sees
    span                         the same gradient descent in the span of the pictures
    optimizer, outcomes          SGD that compiles once; the outcome of a run
    descent, sharing             a training in parts; on several devices
    training                     make_update and fit: gradient descent
    curvature                    the sharpness, the largest eigenvalue of the Hessian
    settings                     Settings: everything that decides a training
    io/                          files written whole; HDF5 read within bounds
    data/                        a file, a folder, a download or a drawing → Dataset → Examples
    many/                        many networks in one program: sweep, seeds, leave-one-out
    runs/                        train, Run, resume; the model file, the sweep file, export
    evaluation/                  scores, baselines, influence, audit, diagnosis, the doctor
    sklearn/                     the network as a classifier of scikit-learn
    report/                      sentences, tables, JSON, figures, the page
    commands/                    `jaxnet data | train | sweep | evaluate | …`

The public names are listed in `__init__.pyi`. Importing this package loads none of them, and not
JAX; each loads at its first use (SPEC 1).
"""

import lazy_loader

__version__ = "0.2.0.dev0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
