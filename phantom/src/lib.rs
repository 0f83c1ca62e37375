//! brainmesh-phantom
