"""Makes the small surface and array files of tests/data/surfaces with other programs (nibabel, numpy, VTK), so that the
tests compare brainmesh with them. Prints the numbers the tests expect.

    python make_surface_fixtures.py        # nibabel 5.4, numpy 2.4, vtk 9.7
"""

import base64
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import vtk
from nibabel.freesurfer import mghformat, write_annot, write_geometry, write_morph_data

HERE = Path(__file__).parent / "surfaces"

# A pyramid that no rotation or mirror maps onto itself; exact in float32, outward winding.
POINTS = np.array([[0, 0, 0], [10, 0, 0], [12, 8, 0], [1, 6, 0.5], [4, 3, 7.25]], np.float32) + np.float32([-20, 30, 5])
FACES = np.array([[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.int32)


def gifti(name, points, faces, order, endian, encoding, space=("NIFTI_XFORM_UNKNOWN", "NIFTI_XFORM_TALAIRACH", np.eye(4))):
    """Written by hand after the GIFTI specification: nibabel writes neither big-endian nor column-major files."""
    types = {"f4": "FLOAT32", "f8": "FLOAT64", "i4": "INT32", "u4": "UINT32", "u1": "UINT8", "i8": "INT64"}

    def array(intent, values, system):
        stored = values.astype(values.dtype.newbyteorder(">" if endian == "BigEndian" else "<"))
        data = stored.tobytes("F" if order == "ColumnMajorOrder" else "C")
        data = zlib.compress(data) if encoding.startswith("GZip") else data
        text = base64.b64encode(data).decode()
        text = "\n".join(text[i : i + 76] for i in range(0, len(text), 76))  # white space inside base64 is allowed
        return f"""<DataArray Intent="{intent}" DataType="NIFTI_TYPE_{types[values.dtype.str[1:]]}"
 ArrayIndexingOrder="{order}" Dimensionality="2" Dim0="{values.shape[0]}" Dim1="3" Encoding="{encoding}"
 Endian="{endian}" ExternalFileName="" ExternalFileOffset="">
<MetaData><MD><Name>AnatomicalStructurePrimary</Name><Value>CortexRight</Value></MD></MetaData>
{system}<Data>{text}</Data></DataArray>"""

    rows = "\n".join(" ".join(map(str, row)) for row in space[2])
    system = f"""<CoordinateSystemTransformMatrix><DataSpace>{space[0]}</DataSpace>
<TransformedSpace>{space[1]}</TransformedSpace><MatrixData>{rows}</MatrixData></CoordinateSystemTransformMatrix>"""
    body = array("NIFTI_INTENT_POINTSET", points, system) + array("NIFTI_INTENT_TRIANGLE", faces, "")
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<GIFTI Version="1.0" NumberOfDataArrays="2"><MetaData/><LabelTable/>'
    (HERE / name).write_text(f"{head}\n{body}</GIFTI>\n")
    read = nib.load(HERE / name)
    assert np.array_equal(read.agg_data("pointset"), POINTS) and np.array_equal(read.agg_data("triangle"), FACES), name


gifti("big_column.surf.gii", POINTS.astype("f8"), FACES.astype("u4"), "ColumnMajorOrder", "BigEndian", "GZipBase64Binary")
gifti("big_row.surf.gii", POINTS, FACES.astype("i8"), "RowMajorOrder", "BigEndian", "Base64Binary")
SHIFT = np.array([[0, -1, 0, 100], [1, 0, 0, -200], [0, 0, 1, 300], [0, 0, 0, 1.0]])
gifti("transformed.surf.gii", POINTS, FACES.astype("u1"), "RowMajorOrder", "LittleEndian", "GZipBase64Binary",
      ("NIFTI_XFORM_UNKNOWN", "NIFTI_XFORM_SCANNER_ANAT", SHIFT))

label = nib.gifti.GiftiImage(meta=nib.gifti.GiftiMetaData(AnatomicalStructurePrimary="CortexLeft"))
for key, name, rgba in [(0, "???", (1, 1, 1, 0)), (-3, "R&D <area>", (0.25, 0.5, 0.75, 1))]:
    entry = nib.gifti.GiftiLabel(key, *rgba)
    entry.label = name
    label.labeltable.labels.append(entry)
label.add_gifti_data_array(nib.gifti.GiftiDataArray(np.array([0, -3, 0, -3, -3], np.int32), "NIFTI_INTENT_LABEL", "NIFTI_TYPE_INT32",
                                                    meta=nib.gifti.GiftiMetaData(Name="areas")))
nib.save(label, HERE / "nibabel.label.gii")

shape = nib.gifti.GiftiImage()
for name, values in [("depth", [0.5, np.nan, -1, np.inf, 1e-30]), ("area", [1, 2, 3, 4, 5])]:
    shape.add_gifti_data_array(nib.gifti.GiftiDataArray(np.array(values, np.float32), "NIFTI_INTENT_SHAPE", "NIFTI_TYPE_FLOAT32",
                                                        meta=nib.gifti.GiftiMetaData(Name=name)))
nib.save(shape, HERE / "nibabel.shape.gii")


def freesurfer(name, cosines, cras):
    """A surface in surface RAS, and where nibabel's MGH geometry puts it in scanner RAS."""
    info = {"head": np.array([2, 0, 20], np.int32), "valid": "1  # volume info valid", "filename": "../mri/orig.mgz",
            "volume": np.array([256, 256, 256]), "voxelsize": np.array([1.0, 1.0, 1.0]),
            "xras": cosines[:, 0], "yras": cosines[:, 1], "zras": cosines[:, 2], "cras": np.array(cras)}
    write_geometry(HERE / name, POINTS, FACES, create_stamp="created by nibabel", volume_info=info)
    header = mghformat.MGHHeader()
    header.set_data_shape((256, 256, 256))
    header["delta"], header["Mdc"], header["Pxyz_c"] = 1, cosines.T, cras
    scanner = header.get_affine() @ np.linalg.inv(header.get_vox2ras_tkr())
    print(name, nib.affines.apply_affine(scanner, POINTS.astype(float)).round(6).tolist())


USUAL = np.array([[-1, 0, 0], [0, 0, 1], [0, -1, 0.0]])
freesurfer("lh.shifted", USUAL, [3.5, -5.25, 7.0])
tilt = np.radians(20)
TILT = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
freesurfer("rh.tilted", TILT @ USUAL, [3.5, -5.25, 7.0])
freesurfer("lh.right_handed", np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0.0]]), [1, 2, 3])
write_geometry(HERE / "lh.no_footer", POINTS, FACES, create_stamp="created by nibabel")
write_morph_data(HERE / "lh.thickness", np.array([2.5, 0, 3.25, 1, 4], np.float32))
colours = np.array([[25, 5, 25, 0], [220, 20, 10, 0], [20, 220, 160, 0]])
write_annot(HERE / "lh.areas.annot", np.array([1, 0, 2, -1, 1]), colours, [b"unknown", b"V1", b"R&D"], fill_ctab=True)

mesh = vtk.vtkPolyData()
points = vtk.vtkPoints()
for p in POINTS:
    points.InsertNextPoint(*map(float, p))
cells = vtk.vtkCellArray()
for f in FACES:
    cells.InsertNextCell(3, list(map(int, f)))
mesh.SetPoints(points)
mesh.SetPolys(cells)
for name, binary, order in [("vtk_ascii.ply", 0, 0), ("vtk_little.ply", 1, 0), ("vtk_big.ply", 1, 1)]:
    writer = vtk.vtkPLYWriter()
    writer.SetInputData(mesh)
    writer.SetFileName(str(HERE / name))
    writer.SetFileType(binary and vtk.VTK_BINARY or vtk.VTK_ASCII)
    writer.SetDataByteOrder(order and vtk.VTK_BIG_ENDIAN or vtk.VTK_LITTLE_ENDIAN)
    writer.Write()
writer = vtk.vtkOBJWriter()
writer.SetInputData(mesh)
writer.SetFileName(str(HERE / "vtk.obj"))
writer.Write()

TABLE = np.array([[0.0, 1.5, -2.0], [100.0, 65504.0, 3.0]])
for name, array in [("f2", TABLE.astype("<f2")), ("f4", TABLE.astype("<f4")), ("f8_big", TABLE.astype(">f8")),
                    ("f4_fortran", np.asfortranarray(TABLE.astype("<f4"))),
                    ("i2_big", TABLE.astype(">i4").clip(-9, 99).astype(">i2")), ("u1", np.arange(6, dtype="u1").reshape(2, 3)),
                    ("bool", np.array([[True, False, True]])), ("c8", TABLE.astype("c8"))]:
    np.save(HERE / f"{name}.npy", array)
np.savez(HERE / "stored.npz", raw=TABLE, other=np.arange(4))
np.savez_compressed(HERE / "deflated.npz", profiles=TABLE.astype("f4"), other=np.arange(4))
