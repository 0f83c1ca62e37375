"""Brain sections on wafers: made images, the network that finds the sections, Mask R-CNN for comparison (document 002).

Positions are `x, y` in pixels of the image; pixel centres are whole numbers.
"""
