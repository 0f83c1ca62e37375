"""The napari plugin of brainmesh: readers, writers, sample data and three panels.

Nothing here computes anything about brains; every number comes from :mod:`brainmesh`. Importing this module imports neither
napari nor Qt.
"""
