//! Decompression that stops at the size a chunk declares.
//!
//! The codecs of `zarrs` take whatever memory a compressed chunk asks for: a zstd frame of 20 bytes may ask for 2^60. Ours
//! stand before them in its registry, know the size that must come out, and hand everything else on.

use std::borrow::Cow;
use std::io::Read;
use std::sync::{Arc, Once};
use zarrs::array::codec::api::{
    CodecRuntimePluginV2, CodecRuntimePluginV3, PartialDecoderCapability, PartialEncoderCapability, register_codec_v2,
    register_codec_v3,
};
use zarrs::array::codec::{BloscCodec, GzipCodec, ZlibCodec, ZstdCodec};
use zarrs::array::{
    ArrayBytesRaw, BytesRepresentation, BytesToBytesCodecTraits, Codec, CodecError, CodecMetadataOptions, CodecOptions,
    CodecTraits, CodecTraitsV2, CodecTraitsV3, RecommendedConcurrency,
};
use zarrs::metadata::Configuration;
use zarrs::plugin::{ExtensionName, PluginCreateError, ZarrVersion};

/// No chunk or part of a shard may be larger when decoded.
pub(super) const MOST_CHUNK_BYTES: u64 = 1 << 30;

/// Puts the bounded codecs into the registry of `zarrs`, once.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for packing in [Packing::Blosc, Packing::Gzip, Packing::Zlib, Packing::Zstd] {
            register_codec_v3(CodecRuntimePluginV3::new(
                move |name| packing.is_called(name),
                move |metadata| packing.bounded(packing.create_v3(metadata)?),
            ));
            register_codec_v2(CodecRuntimePluginV2::new(
                move |name| packing.is_called(name),
                move |metadata| packing.bounded(packing.create_v2(metadata)?),
            ));
        }
    });
}

#[derive(Debug, Clone, Copy)]
enum Packing {
    Blosc,
    Gzip,
    Zlib,
    Zstd,
}

impl Packing {
    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Blosc => name == "blosc" || name == "numcodecs.blosc",
            Self::Gzip => name == "gzip" || name == "numcodecs.gzip",
            Self::Zlib => name == "zlib" || name == "numcodecs.zlib",
            Self::Zstd => name == "zstd" || name == "numcodecs.zstd",
        }
    }

    fn create_v3(self, metadata: &zarrs::metadata::v3::MetadataV3) -> Result<Codec, PluginCreateError> {
        match self {
            Self::Blosc => <BloscCodec as CodecTraitsV3>::create(metadata),
            Self::Gzip => <GzipCodec as CodecTraitsV3>::create(metadata),
            Self::Zlib => <ZlibCodec as CodecTraitsV3>::create(metadata),
            Self::Zstd => <ZstdCodec as CodecTraitsV3>::create(metadata),
        }
    }

    fn create_v2(self, metadata: &zarrs::metadata::v2::MetadataV2) -> Result<Codec, PluginCreateError> {
        match self {
            Self::Blosc => <BloscCodec as CodecTraitsV2>::create(metadata),
            Self::Gzip => <GzipCodec as CodecTraitsV2>::create(metadata),
            Self::Zlib => <ZlibCodec as CodecTraitsV2>::create(metadata),
            Self::Zstd => <ZstdCodec as CodecTraitsV2>::create(metadata),
        }
    }

    fn bounded(self, codec: Codec) -> Result<Codec, PluginCreateError> {
        match codec {
            Codec::BytesToBytes(inner) => Ok(Codec::BytesToBytes(Arc::new(Bounded { packing: self, inner }))),
            other => Ok(other),
        }
    }
}

/// A codec of `zarrs` whose decoder is bounded.
#[derive(Debug)]
struct Bounded {
    packing: Packing,
    inner: Arc<dyn BytesToBytesCodecTraits>,
}

impl ExtensionName for Bounded {
    fn name(&self, version: ZarrVersion) -> Option<Cow<'static, str>> {
        self.inner.name(version)
    }
}

impl CodecTraits for Bounded {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn configuration(&self, version: ZarrVersion, options: &CodecMetadataOptions) -> Option<Configuration> {
        self.inner.configuration(version, options)
    }

    fn partial_decoder_capability(&self) -> PartialDecoderCapability {
        PartialDecoderCapability { partial_read: false, partial_decode: false }
    }

    fn partial_encoder_capability(&self) -> PartialEncoderCapability {
        PartialEncoderCapability { partial_encode: false }
    }
}

impl BytesToBytesCodecTraits for Bounded {
    fn into_dyn(self: Arc<Self>) -> Arc<dyn BytesToBytesCodecTraits> {
        self
    }

    fn recommended_concurrency(&self, decoded: &BytesRepresentation) -> Result<RecommendedConcurrency, CodecError> {
        self.inner.recommended_concurrency(decoded)
    }

    fn encoded_representation(&self, decoded: &BytesRepresentation) -> BytesRepresentation {
        self.inner.encoded_representation(decoded)
    }

    fn encode<'a>(&self, value: ArrayBytesRaw<'a>, options: &CodecOptions) -> Result<ArrayBytesRaw<'a>, CodecError> {
        self.inner.encode(value, options)
    }

    fn decode<'a>(
        &self,
        encoded: ArrayBytesRaw<'a>,
        decoded: &BytesRepresentation,
        options: &CodecOptions,
    ) -> Result<ArrayBytesRaw<'a>, CodecError> {
        let most_bytes = decoded.size().unwrap_or(MOST_CHUNK_BYTES).min(MOST_CHUNK_BYTES);
        let too_long = || CodecError::Other(format!("{:?} data of more than {most_bytes} bytes", self.packing));
        let bytes = match self.packing {
            Packing::Gzip => inflate(flate2::read::GzDecoder::new(&*encoded), most_bytes)?,
            Packing::Zlib => inflate(flate2::read::ZlibDecoder::new(&*encoded), most_bytes)?,
            Packing::Zstd => zstd::bulk::decompress(&encoded, most_bytes as usize)?,
            Packing::Blosc => {
                // Bytes 4 to 8 of a blosc header: the size of what it holds.
                let [_, _, _, _, a, b, c, d, ..] = *encoded else {
                    return Err(CodecError::Other(format!("blosc data of {} bytes", encoded.len())));
                };
                if u64::from(u32::from_le_bytes([a, b, c, d])) > most_bytes {
                    return Err(too_long());
                }
                return self.inner.decode(encoded, decoded, options);
            }
        };
        if bytes.len() as u64 > most_bytes { Err(too_long()) } else { Ok(Cow::Owned(bytes)) }
    }
}

/// One byte more than allowed shows that there would be more. Memory grows with what is decoded.
fn inflate(decoder: impl Read, most_bytes: u64) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    decoder.take(most_bytes + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
