"""How a neural network learns: one hidden layer, in JAX, from pictures to a trained network.

In reading order; a file imports only from files above it:

    errors, precision, progress    what can go wrong; how exact; how far
    data/                          from a file, a folder or a drawing to X (n_x, m) and Y (1, m)
    checks                         whether parameters, X and Y fit together
    activations                    g(z) and g′(z)
    network                        init_params, forward, loss, predict, accuracy
    backprop                       the same gradient by hand, formula by formula
    curvature                      the sharpness, the largest eigenvalue of the Hessian
    span                           the same gradient descent in the span of the pictures
    optimizer, outcomes            SGD that compiles once; how a run ended
    training                       make_update and fit: gradient descent
    blocks, sweeps                 many networks in one program; sweep: thousands of them
    storage/                       the run folder, the model file, the sweep file, export
    evaluation/                    scores with their doubt, the audit, the doctor, leave-one-out
    figures                        the pictures: cost curve, hidden units, contact sheet
    commands/                      `jaxnet data | train | sweep | evaluate | …`

The public names are listed in `__init__.pyi`. Importing this package loads none of them, and not
JAX; each loads at its first use (SPEC 1).
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
