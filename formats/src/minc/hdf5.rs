//! Writing HDF5 in the layout of its first version, which libminc demands (it refuses anything newer than HDF5 1.8, while
//! the Rust libraries write chunks in the layout of 1.10 only), after the HDF5 file format specification 3.0.
//!
//! Superblock version 0 (II.A); object headers version 1 (IV.A.1.a); groups as link messages (IV.A.2.g); small data sets
//! compact, large ones chunked and deflated behind a version 1 B-tree (III.A.1). All numbers are little-endian.

use crate::atomic::WriteSeek;
use crate::stored_type::ByteOrder;
use crate::{Result, StoredType, fault};
use std::io::SeekFrom;
use std::path::Path;

const UNDEFINED: u64 = u64::MAX;
const SUPERBLOCK_BYTES: u64 = 96;
/// Children of a B-tree node of chunks: twice the default K, which superblocks of version 0 imply.
const MOST_CHILDREN: usize = 64;

/// The value of an attribute.
pub(super) enum Value<'a> {
    Text(&'a str),
    Length(u32),
    Number(f64),
    Numbers(&'a [f64]),
}

/// An attribute.
pub(super) type Attribute<'a> = (&'a str, Value<'a>);

/// One compressed chunk in the file.
pub(super) struct Chunk {
    /// Of its first value, along every axis.
    pub offset: Vec<u64>,
    pub address: u64,
    pub bytes: u32,
}

/// How the chunks of a data set divide it.
pub(super) struct Chunking<'a> {
    pub shape: &'a [u64],
    pub edges: &'a [u64],
    pub stored: StoredType,
    pub deflate_level: u32,
}

/// A file that is being written from front to back: data first, then what says where they are.
pub(super) struct Hdf5Writer<'a> {
    path: &'a Path,
    out: &'a mut dyn WriteSeek,
    at: u64,
}

impl<'a> Hdf5Writer<'a> {
    pub fn new(path: &'a Path, out: &'a mut dyn WriteSeek) -> Result<Self> {
        out.write_all(&[0; SUPERBLOCK_BYTES as usize]).map_err(fault::io(path))?;
        Ok(Self { path, out, at: SUPERBLOCK_BYTES })
    }

    /// Appends bytes at the next multiple of 8 and says where they are.
    pub fn place(&mut self, bytes: &[u8]) -> Result<u64> {
        let padding = self.at.next_multiple_of(8) - self.at;
        self.out.write_all(&[0; 8][..padding as usize]).map_err(fault::io(self.path))?;
        self.out.write_all(bytes).map_err(fault::io(self.path))?;
        let address = self.at + padding;
        self.at = address + bytes.len() as u64;
        Ok(address)
    }

    /// A group of objects that are already written.
    pub fn group(&mut self, members: &[(&str, u64)], attributes: &[Attribute]) -> Result<u64> {
        // Link info: links are messages, and neither in a heap nor in a B-tree.
        let mut info = vec![0, 0];
        info.extend([UNDEFINED.to_le_bytes(); 2].concat());
        let mut header = Header::default();
        header.message(0x0002, &info);
        header.message(0x000a, &[0, 0]);
        for (name, address) in members {
            // Version 1, a hard link whose name has a length of one byte.
            let mut link = vec![1, 0, name.len() as u8];
            link.extend(name.as_bytes());
            link.extend(address.to_le_bytes());
            header.message(0x0006, &link);
        }
        self.object(header, attributes)
    }

    /// A data set of one number, in its object header.
    pub fn scalar(&mut self, value: &Value, attributes: &[Attribute]) -> Result<u64> {
        let (kind, _, bytes) = encoded(value);
        let mut header = Header::default();
        header.message(0x0001, &dataspace(&[]));
        header.message(0x0003, &kind);
        // Allocated early; a default fill value.
        header.message(0x0005, &[2, 1, 2, 1, 0, 0, 0, 0]);
        let mut layout = vec![3, 0];
        layout.extend((bytes.len() as u16).to_le_bytes());
        layout.extend(bytes);
        header.message(0x0008, &layout);
        self.object(header, attributes)
    }

    /// A data set whose chunks are already written, in the order of their offsets.
    pub fn chunked(&mut self, chunking: &Chunking, chunks: &[Chunk], attributes: &[Attribute]) -> Result<u64> {
        let root = self.chunk_tree(chunking, chunks)?;
        let mut header = Header::default();
        header.message(0x0001, &dataspace(chunking.shape));
        header.message(0x0003, &datatype(chunking.stored));
        // Allocated chunk by chunk; a default fill value.
        header.message(0x0005, &[2, 3, 2, 1, 0, 0, 0, 0]);
        let mut layout = vec![3, 2, chunking.edges.len() as u8 + 1];
        layout.extend(root.to_le_bytes());
        chunking.edges.iter().for_each(|&edge| layout.extend((edge as u32).to_le_bytes()));
        layout.extend((chunking.stored.size_bytes() as u32).to_le_bytes());
        header.message(0x0008, &layout);
        // One filter: deflate, optional, with its level.
        let mut pipeline = vec![1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0];
        pipeline.extend(chunking.deflate_level.to_le_bytes());
        pipeline.extend([0; 4]);
        header.message(0x000b, &pipeline);
        self.object(header, attributes)
    }

    /// Writes the superblock, which makes it a file.
    pub fn finish(self, root: u64) -> Result<()> {
        let mut block = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0".to_vec();
        [0, UNDEFINED, self.at, UNDEFINED, 0, root].iter().for_each(|n| block.extend(n.to_le_bytes()));
        block.resize(SUPERBLOCK_BYTES as usize, 0);
        self.out.seek(SeekFrom::Start(0)).map_err(fault::io(self.path))?;
        self.out.write_all(&block).map_err(fault::io(self.path))
    }

    fn object(&mut self, mut header: Header, attributes: &[Attribute]) -> Result<u64> {
        for (name, value) in attributes {
            header.attribute(name, value);
        }
        let mut bytes = vec![1, 0];
        bytes.extend(header.messages.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend((header.bytes.len() as u32).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(header.bytes);
        self.place(&bytes)
    }

    /// Level by level from the leaves; the address of the root.
    fn chunk_tree(&mut self, chunking: &Chunking, chunks: &[Chunk]) -> Result<u64> {
        let rank = chunking.shape.len();
        let key = |chunk: &Chunk| {
            let mut key = chunk.bytes.to_le_bytes().to_vec();
            key.extend([0; 4]);
            chunk.offset.iter().for_each(|n| key.extend(n.to_le_bytes()));
            key.extend([0; 8]);
            key
        };
        // Behind all chunks.
        let end =
            Chunk { offset: vec![chunking.shape[0].next_multiple_of(chunking.edges[0]); 1], address: 0, bytes: 0 };
        let mut end = key(&end);
        end.resize(16 + 8 * rank, 0);
        let node_bytes = 24 + MOST_CHILDREN * 8 + (MOST_CHILDREN + 1) * end.len();

        let mut children: Vec<_> = chunks.iter().map(|chunk| (key(chunk), chunk.address)).collect();
        for level in 0u8.. {
            let first = self.at.next_multiple_of(8);
            let count = children.len().div_ceil(MOST_CHILDREN);
            let mut parents = Vec::with_capacity(count);
            for (n, nodes) in children.chunks(MOST_CHILDREN).enumerate() {
                let address_of = |n: usize| first + (n * node_bytes.next_multiple_of(8)) as u64;
                let left = n.checked_sub(1).map_or(UNDEFINED, address_of);
                let right = if n + 1 < count { address_of(n + 1) } else { UNDEFINED };
                let mut node = b"TREE\x01".to_vec();
                node.push(level);
                node.extend((nodes.len() as u16).to_le_bytes());
                node.extend([left.to_le_bytes(), right.to_le_bytes()].concat());
                for (key, address) in nodes {
                    node.extend(key);
                    node.extend(address.to_le_bytes());
                }
                node.extend(children.get((n + 1) * MOST_CHILDREN).map_or(&end, |(key, _)| key));
                node.resize(node_bytes, 0);
                parents.push((nodes[0].0.clone(), self.place(&node)?));
            }
            if let [(_, root)] = parents[..] {
                return Ok(root);
            }
            children = parents;
        }
        Ok(UNDEFINED)
    }
}

/// The messages of an object header.
#[derive(Default)]
struct Header {
    messages: u16,
    bytes: Vec<u8>,
}

impl Header {
    fn message(&mut self, kind: u16, data: &[u8]) {
        let length = data.len().next_multiple_of(8);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((length as u16).to_le_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(data);
        self.bytes.resize(self.bytes.len() + length - data.len(), 0);
        self.messages += 1;
    }

    fn attribute(&mut self, name: &str, value: &Value) {
        let (kind, space, data) = encoded(value);
        let name = [name.as_bytes(), &[0]].concat();
        let mut attribute = vec![1, 0];
        [&name, &kind, &space].iter().for_each(|part| attribute.extend((part.len() as u16).to_le_bytes()));
        for part in [name, kind, space] {
            attribute.extend(&part);
            attribute.resize(attribute.len().next_multiple_of(8), 0);
        }
        attribute.extend(data);
        self.message(0x000c, &attribute);
    }
}

/// Data type, data space and bytes of a value. Texts end in a zero, as libminc writes them.
fn encoded(value: &Value) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let float = || datatype_of(StoredType::Float64, ByteOrder::Little);
    match value {
        Value::Text(text) => {
            let bytes = [text.as_bytes(), &[0]].concat();
            let mut kind = vec![0x13, 0, 0, 0];
            kind.extend((bytes.len() as u32).to_le_bytes());
            (kind, dataspace(&[]), bytes)
        }
        Value::Length(n) => {
            (datatype_of(StoredType::Int32, ByteOrder::Little), dataspace(&[]), n.to_le_bytes().to_vec())
        }
        Value::Number(number) => (float(), dataspace(&[]), number.to_le_bytes().to_vec()),
        Value::Numbers(numbers) => {
            let bytes = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
            (float(), dataspace(&[numbers.len() as u64]), bytes)
        }
    }
}

fn dataspace(shape: &[u64]) -> Vec<u8> {
    let mut space = vec![1, shape.len() as u8, 0, 0, 0, 0, 0, 0];
    shape.iter().for_each(|n| space.extend(n.to_le_bytes()));
    space
}

/// Of values in this machine's byte order.
fn datatype(stored: StoredType) -> Vec<u8> {
    datatype_of(stored, ByteOrder::NATIVE)
}

fn datatype_of(stored: StoredType, order: ByteOrder) -> Vec<u8> {
    let order = u8::from(order == ByteOrder::Big);
    let size = stored.size_bytes() as u8;
    let bits = 8 * size;
    match stored.integer_range() {
        Some((lowest, _)) => {
            let sign = if lowest < 0.0 { 0x08 } else { 0 };
            vec![0x10, order | sign, 0, 0, size, 0, 0, 0, 0, 0, bits, 0]
        }
        None => {
            // IEEE 754: where exponent and mantissa are, and the bias of the exponent.
            let (exponent_bits, mantissa_bits, bias) = if size == 4 { (8, 23, 127u32) } else { (11, 52, 1023) };
            let mut kind = vec![0x11, order | 0x20, bits - 1, 0, size, 0, 0, 0, 0, 0, bits, 0];
            kind.extend([mantissa_bits, exponent_bits, 0, mantissa_bits]);
            kind.extend(bias.to_le_bytes());
            kind
        }
    }
}
