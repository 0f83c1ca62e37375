//! brainmesh-formats
