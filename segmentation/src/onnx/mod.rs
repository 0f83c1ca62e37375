//! Reads and writes ONNX files of sequential and residual 1-D networks.
//!
//! Format: <https://github.com/onnx/onnx/blob/main/docs/IR.md> and `onnx.proto` (field numbers are those of
//! `onnx-ml.proto`); operators: <https://onnx.ai/onnx/operators/>. Weights kept in external files, opsets below 13
//! (whose `Softmax` means something else) and training graphs are not supported.

mod attributes;
mod float16;
mod form;
mod interface;
mod network;
mod proto;
mod reader;
mod simplify;
mod sizes;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use float16::in_float16;
pub use form::Form;
pub(crate) use interface::{Interface, Port};
pub(crate) use network::{Conv, Network, Operation, Step, ValueId};
pub(crate) use reader::read;
pub(crate) use sizes::{require_flat, require_sizes};
pub(crate) use writer::write;
