//! brainmesh-meshing
