"""From a file, a folder, a download or a drawing to images and labels, then to X and Y.

In reading order: `dataset` (what every source becomes), `files` (what is really at a path),
`pictures` (one picture file), then the sources `hdf5`, `folder`, `kinds` and `sketches` (what is
drawn, and how), and `download`, `load` (one function in front of them), and `columns` (images to X,
labels to Y).
"""
