use super::ome::NAMESPACE;
use crate::volume_info::rows;
use crate::{Result, StoredType, VolumeWriter, Voxel, fault, write_atomically};
use brainmesh_core::{Grid, Monitor, Volume};
use quick_xml::escape::escape;
use std::io::{Seek, Write};
use std::path::Path;
use tiff::encoder::colortype as color;
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder, TiffKind};
use tiff::tags::Tag;

/// Longer files need BigTIFF, whose offsets have 8 bytes; directories are to fit as well.
const MOST_CLASSIC_BYTES: usize = 4_000_000_000;

/// Writes volumes as OME-TIFF, deflated, a page for each slice; the time points follow one another.
pub(crate) fn write<T: Voxel>(
    path: &Path,
    volumes: &[Volume<T>],
    writer: &VolumeWriter,
    monitor: &dyn Monitor,
) -> Result<()> {
    let Some(first) = volumes.first() else { return Ok(()) };
    let [ni, nj, nk] = first.grid().shape();
    let description = description::<T>(path, first.grid(), volumes.len(), writer)?;
    let (width, height) = match (u32::try_from(ni), u32::try_from(nj)) {
        (Ok(width), Ok(height)) => (width, height),
        _ => return Err(fault::unsupported(path, "shape", format!("{ni} x {nj} pixels"), "up to 2^32 along an axis")),
    };
    let pages = Pages { path, width, height, description };
    let bytes = size_of_val(first.data()).saturating_mul(volumes.len()).saturating_add(nk * volumes.len() * 512);
    monitor.stage("writing", (first.data().len() * volumes.len()) as u64);
    write_atomically(path, |file| {
        if bytes > MOST_CLASSIC_BYTES {
            pages.write(TiffEncoder::new_big(file).map_err(failed(path))?, volumes, monitor)
        } else {
            pages.write(TiffEncoder::new(file).map_err(failed(path))?, volumes, monitor)
        }
    })
}

fn failed(path: &Path) -> impl FnOnce(tiff::TiffError) -> crate::Error + '_ {
    move |error| match error {
        tiff::TiffError::IoError(source) => fault::io(path)(source),
        error => fault::io(path)(std::io::Error::other(error.to_string())),
    }
}

struct Pages<'a> {
    path: &'a Path,
    width: u32,
    height: u32,
    description: String,
}

impl Pages<'_> {
    fn write<W: Write + Seek, K: TiffKind, T: Voxel>(
        &self,
        encoder: TiffEncoder<W, K>,
        volumes: &[Volume<T>],
        monitor: &dyn Monitor,
    ) -> Result<()> {
        let is_integer = T::STORED.integer_range().is_some();
        let predictor = if is_integer { Predictor::Horizontal } else { Predictor::None };
        let encoder = encoder.with_compression(Compression::Deflate(DeflateLevel::Fast));
        let mut encoder = encoder.with_predictor(predictor);
        let plane = self.width as usize * self.height as usize;
        for (n, slice) in volumes.iter().flat_map(|volume| volume.data().chunks(plane)).enumerate() {
            monitor.check()?;
            let values = slice;
            macro_rules! page {
                ($color:ident) => {
                    self.page::<W, K, color::$color>(&mut encoder, bytemuck::cast_slice(values), n == 0)
                };
            }
            match T::STORED {
                StoredType::Int8 => page!(GrayI8),
                StoredType::Uint8 => page!(Gray8),
                StoredType::Int16 => page!(GrayI16),
                StoredType::Uint16 => page!(Gray16),
                StoredType::Int32 => page!(GrayI32),
                StoredType::Uint32 => page!(Gray32),
                StoredType::Int64 => page!(GrayI64),
                StoredType::Uint64 => page!(Gray64),
                StoredType::Float32 => page!(Gray32Float),
                StoredType::Float64 => page!(Gray64Float),
            }
            .map_err(failed(self.path))?;
            monitor.advance(plane as u64);
        }
        Ok(())
    }

    fn page<W: Write + Seek, K: TiffKind, C: color::ColorType>(
        &self,
        encoder: &mut TiffEncoder<W, K>,
        values: &[C::Inner],
        is_first: bool,
    ) -> tiff::TiffResult<()>
    where
        [C::Inner]: tiff::encoder::TiffValue,
    {
        let mut image = encoder.new_image::<C>(self.width, self.height)?;
        if is_first {
            image.encoder().write_tag(Tag::ImageDescription, self.description.as_str())?;
        }
        image.write_data(values)
    }
}

/// The OME-XML of volumes (schema 2016-06), in ASCII as the tag wants it.
fn description<T: Voxel>(path: &Path, grid: &Grid, frames: usize, writer: &VolumeWriter) -> Result<String> {
    let kind = match T::STORED {
        StoredType::Float32 => "float",
        StoredType::Float64 => "double",
        StoredType::Int64 | StoredType::Uint64 => {
            return Err(fault::unsupported(path, "type", T::STORED, "integers of 8 to 32 bits, float32, float64"));
        }
        other => other.name(),
    };
    let ([ni, nj, nk], [si, sj, sk]) = (grid.shape(), grid.spacing_mm());
    let step =
        writer.time_step_s.map_or(String::new(), |step| format!(r#" TimeIncrement="{step}" TimeIncrementUnit="s""#));
    let [x, y, z, _] = rows(grid.affine());
    let numbers: Vec<_> = [x, y, z].as_flattened().iter().map(f64::to_string).collect();
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="brainmesh">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{kind}" SizeX="{ni}" SizeY="{nj}" SizeZ="{nk}" SizeC="1" SizeT="{frames}"
 PhysicalSizeX="{si}" PhysicalSizeXUnit="mm" PhysicalSizeY="{sj}" PhysicalSizeYUnit="mm" PhysicalSizeZ="{sk}" PhysicalSizeZUnit="mm"{step}>
<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="{planes}"/></Pixels><AnnotationRef ID="Annotation:0"/></Image>
<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="{NAMESPACE}"><Value>
<M K="world_from_voxel">{matrix}</M><M K="world">{world}</M>
</Value></MapAnnotation></StructuredAnnotations></OME>"#,
        planes = nk * frames,
        matrix = numbers.join(" "),
        world = ascii(&escape(grid.world())),
    );
    Ok(text)
}

/// Characters beyond ASCII as references.
fn ascii(text: &str) -> String {
    let show = |c: char| if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) };
    text.chars().map(show).collect()
}
