"""Read or draw pictures with two classes of labels, and convert them to X and Y.

In reading order: `source` (the options that choose a data set), `dataset` (images and labels, the
result of every reader), `pictures` (decoding of picture files), the readers `hdf5`, `folder` and
`download`, `sketches` (drawn pictures; their parts are in `kinds`, and two recipes paint them),
`columns` (images to X, labels to Y), `grey`, `likeness`, `candidates`, `near_duplicates` and
`duplicates` (the search for those), `load` (`load_dataset`, which calls the readers),
`preprocessing` (the options of `columns`, stored with a model) and `to_examples` (a data set to
`Examples`).
"""
