# Made by stubs.py from the compiled module; not to be changed by hand.

import collections.abc
import os
import threading
import typing

import numpy
import numpy.typing

__all__ = [
    "Cancelled",
    "LayerResult",
    "ModelError",
    "Phantom",
    "Ribbon",
    "Surface",
    "VERSION",
    "Volume",
    "VolumeFile",
    "add_model",
    "at_exit",
    "command_line",
    "evaluate_layers",
    "isosurface",
    "kind",
    "label_layers",
    "layer_colors",
    "layer_names",
    "list_models",
    "mesh",
    "phantom",
    "rays2surface",
    "read",
    "read_maps",
    "read_surface",
    "read_volume",
    "remove_model",
    "segment",
    "segment_membrane",
    "segment_sections",
    "show_model",
    "verify_models",
]

class ModelError(RuntimeError):
    """
    A model, its manifest or the engine that runs it failed.
    """

class Cancelled(Exception):
    """
    The work was stopped by `cancel`; nothing was written.
    """

VERSION: typing.Final[str]
"""
The version of brainmesh.
"""

@typing.final
class LayerResult:
    """
    Six cortical layers: what `rays2surface` found, or a folder that it wrote before.
    """
    def __repr__(self, /) -> str: ...
    @property
    def certificate(self, /) -> dict[str, typing.Any]:
        """
        `report["certificate"]`: what was checked on the surfaces, and what was found.
        """
    @property
    def defect_names(self, /) -> dict[int, str]:
        """
        What each code of `defects` means.
        """
    @property
    def defects(self, /) -> numpy.typing.NDArray[numpy.int32]:
        """
        [vertices] int32: 0, or a code that `defect_names` explains.
        """
    def plot(self, /, **keywords: typing.Any) -> typing.Any:
        """
        Draws the layers with pyvista, else with matplotlib. Keywords go on to `brainmesh.view.layers`.
        """
    @staticmethod
    def read(folder: str | os.PathLike[str]) -> LayerResult:
        """
        Reads a folder that `brainmesh rays2surface` or `save` wrote.
        """
    @property
    def report(self, /) -> dict[str, typing.Any]:
        """
        What `report.json` holds: inputs with checksums, model, device, parameters, defects, thickness, certificate.
        """
    def save(self, /, out: str | os.PathLike[str], *, formats: collections.abc.Sequence[str] = ...) -> list[str]:
        """
        Writes the folder that `brainmesh rays2surface --out` writes, byte for byte; returns the files. `formats` are further surface
        formats beside GIFTI. All files appear, or none.
        """
    @property
    def summary(self, /) -> str:
        """
        The lines that the command line prints; empty for a folder that was read.
        """
    @property
    def surfaces(self, /) -> tuple[Surface, ...]:
        """
        Seven surfaces that share their triangles: 0 the pia, k the boundary below layer k, 6 grey/white.
        """
    @property
    def thickness_mm(self, /) -> numpy.typing.NDArray[numpy.float32]:
        """
        [vertices, 7] float32 in mm: all layers, then I to VI. NaN where there are no layers.
        """
    @property
    def too_many_defects(self, /) -> bool:
        """
        More defects than `max_defects` allowed.
        """
    @property
    def uncertainty_mm(self, /) -> numpy.typing.NDArray[numpy.float32]:
        """
        [vertices, 7] float32: standard deviation in mm of each boundary's place along its ray. NaN where there are no layers.
        """

@typing.final
class Phantom:
    """
    A made cortex with known layers.
    """
    @property
    def pial(self, /) -> Surface:
        """
        The pial surface as a user would have it.
        """
    @property
    def ribbon(self, /) -> Ribbon:
        """
        Both as a ribbon.
        """
    @property
    def surfaces(self, /) -> tuple[Surface, ...]:
        """
        The seven true boundaries.
        """
    @property
    def volume(self, /) -> Volume:
        """
        Intensities, whole numbers up to 65535.
        """
    @property
    def white(self, /) -> Surface:
        """
        The white surface as a user would have it.
        """

@typing.final
class Ribbon:
    """
    The cortical ribbon: a pial and a white surface in vertex correspondence. `ValueError` unless they share their triangles.
    """
    def __len__(self, /) -> int: ...
    def __new__(cls, /, pial: Surface, white: Surface) -> Ribbon: ...
    def __repr__(self, /) -> str: ...
    @property
    def pial(self, /) -> Surface:
        """
        Outer surface.
        """
    @property
    def thickness_mm(self, /) -> numpy.typing.NDArray[numpy.float64]:
        """
        Straight distance between corresponding vertices [n], mm.
        """
    @property
    def white(self, /) -> Surface:
        """
        Inner surface.
        """

@typing.final
class Surface:
    """
    A triangle mesh in the world.

    `vertices` [n, 3] are RAS+ millimetres, `triangles` [m, 3] vertex indices, counter-clockwise seen from outside. Both are
    copied and checked (finite, in range, no vertex twice in a triangle) when a surface is made, and cannot change afterwards:
    the arrays it gives are read-only views of its own memory. `structure` is 'left', 'right' or 'unknown'.

    >>> import brainmesh
    >>> corners = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    >>> tetrahedron = brainmesh.Surface(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    >>> tetrahedron.euler_characteristic, round(tetrahedron.volume_mm3, 6)
    (2, 0.166667)
    """
    def __new__(cls, /, vertices: numpy.typing.ArrayLike, triangles: numpy.typing.ArrayLike, *, structure: typing.Literal['left', 'right', 'unknown'] = "unknown") -> Surface: ...
    def __reduce__(self, /) -> typing.Any:
        """
        So that surfaces can be copied, pickled, and sent to other processes.
        """
    def __repr__(self, /) -> str: ...
    @property
    def area_mm2(self, /) -> float:
        """
        Sum of the triangles' areas.
        """
    def contours(self, /, origin: numpy.typing.ArrayLike, normal: numpy.typing.ArrayLike) -> list[numpy.typing.NDArray[numpy.float64]]:
        """
        Where a plane cuts the surface: polylines [k, 3] in RAS+ mm. A closed one ends at the point it begins with.
        """
    def decimate(self, /, share: float, *, max_error_mm: float | None = None) -> Surface:
        """
        The surface with about this share of its triangles, no further than `max_error_mm` from where it was.
        """
    @property
    def euler_characteristic(self, /) -> int:
        """
        Vertices - edges + triangles: 2 for a sphere.
        """
    @staticmethod
    def from_trimesh(mesh: typing.Any) -> Surface:
        """
        Of a mesh of trimesh, whose coordinates must be RAS+ mm.
        """
    def save(self, /, path: str | os.PathLike[str], *, format: str | None = None, maps: collections.abc.Mapping[str, numpy.typing.ArrayLike] | None = None) -> None:
        """
        Writes the surface. The ending of the name says the format; `format` does where it cannot (mni-obj, freesurfer). `maps` are
        values at the vertices by name, for formats that carry them: ply, vtk, vtp. 3D Slicer reads every one at its place.
        """
    def show(self, /, values: numpy.typing.ArrayLike | None = None, **keywords: typing.Any) -> typing.Any:
        """
        Draws the surface with pyvista, else with matplotlib, whichever is installed; `values` at the vertices give colours.
        Keywords go on to `brainmesh.view.surface`.
        """
    @property
    def structure(self, /) -> str:
        """
        Which part of the brain: 'left', 'right' or 'unknown'.
        """
    def to_trimesh(self, /) -> typing.Any:
        """
        As a mesh of trimesh, with the same vertices in the same order.
        """
    @property
    def triangles(self, /) -> numpy.typing.NDArray[numpy.uint32]:
        """
        [m, 3] vertex indices, uint32, read-only; shares the surface's memory.
        """
    @property
    def vertices(self, /) -> numpy.typing.NDArray[numpy.float64]:
        """
        [n, 3] RAS+ mm, float64, read-only; shares the surface's memory.
        """
    @property
    def volume_mm3(self, /) -> float:
        """
        Enclosed volume, positive where normals point outward; means nothing for an open surface.
        """

@typing.final
class Volume:
    """
    A scalar volume: values on voxels, and where these lie in the world (RAS+ millimetres).

    `data` is an array [ni, nj, nk], which is kept as it is: not copied where it holds numbers of 1 to 8 bytes in this machine's
    order. It must not change while a function of brainmesh works on it. `world_from_voxel` is an affine matrix [4, 4] from voxel
    coordinates (i, j, k, 1), whole at voxel centres; it may be oblique, mirrored or sheared. `labels` names values.

    >>> import brainmesh, numpy
    >>> volume = brainmesh.Volume(numpy.zeros((4, 5, 6), "float32"), numpy.diag([-2, 2, 2, 1]))
    >>> volume.shape, volume.spacing_mm, volume.orientation
    ((4, 5, 6), (2.0, 2.0, 2.0), 'LAS')
    """
    def __new__(cls, /, data: numpy.typing.ArrayLike, world_from_voxel: numpy.typing.ArrayLike, *, labels: collections.abc.Mapping[int, str] | None = None) -> Volume: ...
    def __reduce__(self, /) -> typing.Any:
        """
        So that volumes can be copied, pickled, and sent to other processes.
        """
    def __repr__(self, /) -> str: ...
    @property
    def data(self, /) -> numpy.typing.NDArray[typing.Any]:
        """
        Values [ni, nj, nk].
        """
    @staticmethod
    def from_nibabel(image: typing.Any) -> Volume:
        """
        Of a 3-D image of nibabel, scaled as its header says.
        """
    @property
    def label_colors(self, /) -> dict[int, tuple[float, float, float, float]]:
        """
        Colours of labels (red, green, blue, alpha from 0 to 1), by value.
        """
    @property
    def labels(self, /) -> dict[int, str]:
        """
        Names of labels, by value; empty where there are none.
        """
    @property
    def orientation(self, /) -> str:
        """
        Where i, j, k lead to: 'RAS' is right, anterior, superior; oblique axes by the nearest.
        """
    def save(self, /, path: str | os.PathLike[str]) -> None:
        """
        Writes the volume; the ending of the name says the format. The file appears whole or not at all. OME-Zarr and segmentations
        of 3D Slicer (.seg.nrrd) keep the names of labels, other formats have no place for them.
        """
    @property
    def shape(self, /) -> tuple[int, int, int]:
        """
        Voxels along i, j, k.
        """
    @property
    def spacing_mm(self, /) -> tuple[float, float, float]:
        """
        Distance in mm between neighbouring voxel centres along i, j, k.
        """
    def to_nibabel(self, /) -> typing.Any:
        """
        As an image of nibabel, whose affine is `world_from_voxel`.
        """
    @property
    def world_from_voxel(self, /) -> numpy.typing.NDArray[numpy.float64]:
        """
        Affine matrix [4, 4] from (i, j, k, 1) to RAS+ mm.
        """

@typing.final
class VolumeFile:
    """
    An opened volume file: its headers are read and checked, its voxels when asked for.

    For files larger than memory, and for series (4-D). `dtype` is how values are stored; where they are scaled (`is_scaled`)
    intensities are float32.
    """
    def __new__(cls, /, path: str | os.PathLike[str], *, series: str | None = None, repair: bool = False) -> VolumeFile: ...
    def __repr__(self, /) -> str: ...
    @property
    def dtype(self, /) -> numpy.dtype[typing.Any]:
        """
        How values are stored.
        """
    @property
    def format(self, /) -> str:
        """
        Name of the format, such as 'NIfTI-1'.
        """
    @property
    def is_lazy(self, /) -> bool:
        """
        Whether a part is read without reading all of the file.
        """
    @property
    def is_scaled(self, /) -> bool:
        """
        Whether intensities are other numbers than the stored ones.
        """
    @property
    def label_colors(self, /) -> dict[int, tuple[float, float, float, float]]:
        """
        Colours of labels (red, green, blue, alpha from 0 to 1), by value.
        """
    @property
    def labels(self, /) -> dict[int, str]:
        """
        Names of labels, by value.
        """
    def load(self, /) -> None:
        """
        Prepares for many regions: a compressed stream, which can only be read from its start, is decoded into memory once.
        """
    @property
    def orientation(self, /) -> str:
        """
        Where i, j, k lead to, such as 'RAS'.
        """
    @property
    def path(self, /) -> str:
        """
        The file or folder.
        """
    def read(self, /, index: int = 0, dtype: numpy.typing.DTypeLike | None = None) -> Volume:
        """
        Reads volume `index`.
        """
    def read_region(self, /, start: tuple[int, int, int], stop: tuple[int, int, int], *, index: int = 0, dtype: numpy.typing.DTypeLike | None = None) -> Volume:
        """
        Reads voxels from `start` up to, not including, `stop` along i, j, k; its `world_from_voxel` is that of the part.
        """
    @property
    def shape(self, /) -> tuple[int, int, int]:
        """
        Voxels along i, j, k.
        """
    @property
    def spacing_mm(self, /) -> tuple[float, float, float]:
        """
        Distance in mm between neighbouring voxel centres along i, j, k.
        """
    @property
    def volumes(self, /) -> int:
        """
        Number of volumes: time points, echoes, colours.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        What is odd about the file, and what was done about it.
        """
    @property
    def world_from_voxel(self, /) -> numpy.typing.NDArray[numpy.float64]:
        """
        Affine matrix [4, 4] from (i, j, k, 1) to RAS+ mm.
        """

def add_model(package: str | os.PathLike[str], *, name: str | None = None, force: bool = False, ignore_unknown: bool = False, device: str = "auto") -> list[str]:
    """
    Adds a model: a folder or ZIP archive with rdf.yaml (bioimage.io), or a MONAI bundle. Returns what is to be said of it.
    """

def at_exit() -> None:
    """
    Stops all work at the end of Python, which waits a little for it to take its unfinished files away.
    """

def command_line(argv: list[str]) -> int:
    """
    Runs the command line with these words, the program's name first. Returns its exit code.
    """

def evaluate_layers(result: str | os.PathLike[str], *, truth_points: str | os.PathLike[str] | None = None, truth_labels: str | os.PathLike[str] | None = None, truth_thickness: str | os.PathLike[str] | None = None, parcels: str | os.PathLike[str] | None = None, mask: str | os.PathLike[str] | None = None) -> dict[str, typing.Any]:
    """
    Scores a folder of `rays2surface` against a truth: what `brainmesh evaluate layers --json` prints. Give one of
    `truth_points` (`truth/points.npz` of a phantom), `truth_labels` (a label volume) and `truth_thickness` ([vertices, 6] mm).
    """

def isosurface(volume: Volume | str | os.PathLike[str], value: float, *, relax: int = 0, smooth: int = 0, decimate: float | None = None, max_error_mm: float | None = None, volume_index: int | None = None, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> Surface:
    """
    The surface around what is above `value`. The keywords are options of `brainmesh mesh`; `progress` and `cancel` as in
    `rays2surface`.
    """

def kind(path: str | os.PathLike[str]) -> typing.Literal['volume', 'surface', 'maps']:
    """
    What a file or folder is by its content: 'volume', 'surface' or 'maps' (values at vertices).
    """

def label_layers(result: LayerResult, like: Volume | str | os.PathLike[str], *, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> Volume:
    """
    The layer of every voxel on the grid of `like`: 1 to 6, and 0 outside the cortex.
    """

def layer_colors() -> list[tuple[float, float, float, float]]:
    """
    Colours of the seven boundaries (red, green, blue, alpha from 0 to 1), from the pia inwards; readers who cannot tell red from
    green can tell them apart.
    """

def layer_names() -> list[str]:
    """
    Names of the layers, outermost first.
    """

def list_models() -> list[dict[str, typing.Any]]:
    """
    The models there are: those that ship with brainmesh and those that were added.
    """

def mesh(volume: Volume | str | os.PathLike[str], *, labels: collections.abc.Sequence[int] = ..., relax: int | None = None, smooth: int = 0, decimate: float | None = None, max_error_mm: float | None = None, volume_index: int | None = None, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> dict[int, Surface]:
    """
    Closed surfaces of the labels of a volume, by label; neighbouring labels share their faces. The keywords are options of
    `brainmesh mesh`; `progress` and `cancel` as in `rays2surface`.
    """

def phantom(*, seed: int = 1609, shape: typing.Literal['folded', 'sphere'] = "folded", extent_mm: float | None = None, edge_mm: float = 0.4, spacing_mm: float = 0.1, artefacts: typing.Literal['none', 'mild', 'full'] = "mild", surface_error_mm: float = 0.0, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> Phantom:
    """
    Makes a cortex with known layers: the values that a reader of the files of `brainmesh phantom` gets. The same seed gives the
    same bytes. `progress` and `cancel` as in `rays2surface`.
    """

def rays2surface(pial: Surface | str | os.PathLike[str], white: Surface | str | os.PathLike[str], volume: Volume | str | os.PathLike[str] | None = None, *, smoothed_volume: Volume | str | os.PathLike[str] | None = None, profiles: numpy.typing.ArrayLike | str | os.PathLike[str] | None = None, smoothed_profiles: numpy.typing.ArrayLike | str | os.PathLike[str] | None = None, rays: str | os.PathLike[str] | None = None, ray_distance_mm: float | None = None, profiles_span: typing.Literal['extended', 'pial-white'] = "extended", profiles_depths: typing.Literal['equivolumetric', 'equidistant'] = "equivolumetric", missing_value: float | None = None, min_thickness_mm: float = 0.5, mask: numpy.typing.ArrayLike | str | os.PathLike[str] | None = None, volume_index: int = 0, series: str | None = None, polarity: typing.Literal['dark-is-dense', 'bright-is-dense'] = "dark-is-dense", interpolation: typing.Literal['linear', 'cubic'] = "linear", extension_mm: float = 0.5, model: str | os.PathLike[str] | None = None, device: str = "auto", precision: str = "f32", onnxruntime: str | os.PathLike[str] | None = None, smoothing: float | typing.Literal['auto'] | None = None, min_gap_mm: float = 0.01, keep_crossings: bool = False, seed: int = 1609, max_defects: int | str | None = None, threads: int | None = None, out: str | os.PathLike[str] | None = None, formats: collections.abc.Sequence[str] = ..., progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> LayerResult:
    """
    Six cortical layers, as seven surfaces, from a pial and a white surface and intensities.

    `pial` and `white` are surfaces in vertex correspondence (RAS+ mm). Intensities come from `volume`, or as `profiles` [vertices,
    depths] that were sampled elsewhere, or along `rays` of their own (a file). Paths, `Volume` and `Surface` give the same bytes.
    Every other keyword is the option of `brainmesh rays2surface` of that name. `out` writes the folder that the command writes.

    `progress(stage, done, total)` is called on this thread, at most 20 times a second. `cancel`, a callable or a
    `threading.Event`, is asked as often; once it says yes, and on Ctrl-C, the call ends within half a second with `Cancelled`
    (`KeyboardInterrupt`) and nothing is written.

    Raises `OSError` and `ValueError` for inputs that cannot be read or used, `ModelError` for a model or engine that fails.
    """

def read(path: str | os.PathLike[str]) -> Volume | Surface:
    """
    Reads a volume or a surface, whichever the file is.
    """

def read_maps(path: str | os.PathLike[str]) -> dict[str, numpy.typing.NDArray[typing.Any]]:
    """
    Values at the vertices of a surface by name: float32, or int32 for labels. GIFTI, FreeSurfer's curv and annot files, MZ3, and
    what VTK and PLY surfaces carry. FreeSurfer's maps have no name in the file: theirs is empty.
    """

def read_surface(path: str | os.PathLike[str]) -> Surface:
    """
    Reads a surface; its vertices are in RAS+ mm whatever the file's frame.
    """

def read_volume(path: str | os.PathLike[str], *, index: int = 0, series: str | None = None, repair: bool = False, dtype: numpy.typing.DTypeLike | None = None) -> Volume:
    """
    Reads one volume of a file, or of a folder of DICOM images or slices.

    `index` counts time points and channels; `series` is the SeriesInstanceUID to read from a DICOM folder that holds several;
    `repair` mends what is wrong with a series where that is possible. Scaling is applied; `dtype` None keeps the stored type
    of values that are not scaled. Every format of `brainmesh info` is told by its content. What is odd about a file is a warning.
    """

def remove_model(name: str) -> None:
    """
    Removes a model that was added.
    """

def segment(model: str | os.PathLike[str], volume: Volume | collections.abc.Sequence[Volume] | str | os.PathLike[str], *, output: str | None = None, flips: bool | None = None, overlap: float | None = None, window: collections.abc.Sequence[int] = ..., volume_index: int | None = None, series: str | None = None, device: str = "auto", precision: str = "f32", onnxruntime: str | os.PathLike[str] | None = None, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> Volume:
    """
    Labels of voxels, or the probability of a class, by a model of images.

    `model` is a name of `models.list()` or a folder with rdf.yaml. `volume` is a `Volume`, a list of them (one a channel), or a
    path. `output` is 'labels' or 'probability:CLASS'; by default what the model is for. The result lies on the grid of the
    input, whatever its orientation and spacing. The other keywords are options of `brainmesh segment`; `progress` and `cancel`
    as in `rays2surface`.
    """

def segment_membrane(micrographs: Volume | str | os.PathLike[str], *, instances: bool = False, keep_borders: bool = False, threshold: float = 0.5, pixel_nm: float | None = None, channel: int | None = None, flips: bool | None = None, model: str | os.PathLike[str] | None = None, device: str = "auto", precision: str = "f32", onnxruntime: str | os.PathLike[str] | None = None, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> tuple[Volume, Volume | None]:
    """
    Where cells are in electron micrographs: the probability of a cell's interior, and numbers of the cells or None.

    `micrographs` is a `Volume` whose slices along its third axis are segmented one by one, or a path (a stack, a picture, a folder of
    pictures). `instances` numbers the cells of every slice, no number in two slices; they touch, unless `keep_borders`.
    `pixel_nm` states the size of a pixel; a spacing of 1 mm in a world `unregistered` is not known, and taken as the network's.
    What is odd about the micrographs is warned about (`UserWarning`). The other keywords are options of
    `brainmesh segment membrane`; `progress` and `cancel` as in `rays2surface`.
    """

def segment_sections(picture: str | os.PathLike[str], *, fluorescence: str | os.PathLike[str] | None = None, channel: int | None = None, fluorescence_channel: int | None = None, slice: int | None = None, scale: float = 1.0, min_confidence: float = 0.5, tile: int = 2048, model: str | os.PathLike[str] | None = None, device: str = "auto", precision: str = "f32", onnxruntime: str | os.PathLike[str] | None = None, threads: int | None = None, progress: collections.abc.Callable[[str, int, int], object] | None = None, cancel: collections.abc.Callable[[], bool] | threading.Event | None = None) -> dict[str, typing.Any]:
    """
    Where brain sections lie on a wafer: tissue and magnet parts with their corners, as GeoJSON (what `--geojson` writes).

    `picture` and `fluorescence` are paths. Coordinates are pixels, y down, whole at the middle of a pixel; both parts of a section have one
    `number`. What is odd is warned about (`UserWarning`). The other keywords are options of `brainmesh segment sections`;
    `progress` and `cancel` as in `rays2surface`.
    """

def show_model(model: str | os.PathLike[str]) -> dict[str, typing.Any]:
    """
    What a model takes, gives, and was made from. `model` is a name or a folder with rdf.yaml.
    """

def verify_models(models: collections.abc.Sequence[str] = ..., *, device: str = "auto", precision: str = "f32", onnxruntime: str | os.PathLike[str] | None = None) -> list[dict[str, typing.Any]]:
    """
    Compares what a device gives with what the makers of the models got; all models where none are named.
    """
