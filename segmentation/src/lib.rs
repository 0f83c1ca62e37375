//! brainmesh-segmentation
