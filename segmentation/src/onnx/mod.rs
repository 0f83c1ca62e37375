//! Reads ONNX files of sequential and residual 1-D networks.
//!
//! Format: <https://github.com/onnx/onnx/blob/main/docs/IR.md> and `onnx.proto` (field numbers are those of
//! `onnx-ml.proto`); operators: <https://onnx.ai/onnx/operators/>. Weights kept in external files, opsets below 13
//! (whose `Softmax` means something else) and training graphs are not supported.

mod attributes;
mod float16;
mod interface;
mod network;
mod proto;
mod reader;
mod simplify;
mod sizes;

pub(crate) use float16::in_float16;
pub(crate) use interface::{Interface, Port};
pub(crate) use network::{Conv, Network, Operation, Step, ValueId};
pub(crate) use reader::read;
pub(crate) use sizes::{require_flat, require_sizes};
