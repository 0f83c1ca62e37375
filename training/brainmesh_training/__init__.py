"""Training, validation and export of brainmesh's ray networks."""
