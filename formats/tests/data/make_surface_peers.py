"""Makes the files of tests/data/surfaces/peers with VTK and nibabel, so that the tests compare brainmesh with them.

    python make_surface_peers.py        # nibabel 5.4, numpy, vtk 9.6

Every surface is the pyramid of make_surface_fixtures.py; `depth` on its points is DEPTH.
"""

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import vtk
from nibabel.freesurfer import read_geometry
from vtk.util.numpy_support import numpy_to_vtk

HERE = Path(__file__).parent / "surfaces" / "peers"
HERE.mkdir(exist_ok=True)
POINTS = np.array([[0, 0, 0], [10, 0, 0], [12, 8, 0], [1, 6, 0.5], [4, 3, 7.25]], np.float32) + np.float32([-20, 30, 5])
FACES = np.array([[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.int32)
DEPTH = np.array([0.5, -1, 2.25, 1e-3, 4], np.float32)


def pyramid(space=None):
    mesh, points, cells = vtk.vtkPolyData(), vtk.vtkPoints(), vtk.vtkCellArray()
    for p in POINTS:
        points.InsertNextPoint(*map(float, p))
    for f in FACES:
        cells.InsertNextCell(3, list(map(int, f)))
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    depth = numpy_to_vtk(DEPTH, deep=True)
    depth.SetName("depth")
    mesh.GetPointData().SetScalars(depth)
    wide = numpy_to_vtk(np.arange(10, dtype=np.float64).reshape(5, 2), deep=True)
    wide.SetName("two wide")
    mesh.GetPointData().AddArray(wide)
    cell = numpy_to_vtk(np.arange(6, dtype=np.int32), deep=True)
    cell.SetName("of cells")
    mesh.GetCellData().AddArray(cell)
    if space:
        names = vtk.vtkStringArray()
        names.SetName("SPACE")
        names.InsertNextValue(space)
        mesh.GetFieldData().AddArray(names)
    return mesh


def write(writer, name, mesh):
    writer.SetInputData(mesh)
    writer.SetFileName(str(HERE / name))
    assert writer.Write()


for version in (42, 51):
    for kind in ("ascii", "binary"):
        writer = vtk.vtkPolyDataWriter()
        writer.SetFileVersion(version)
        writer.SetHeader("SPACE=RAS")
        writer.SetFileType(vtk.VTK_ASCII if kind == "ascii" else vtk.VTK_BINARY)
        write(writer, f"legacy{version}_{kind}.vtk", pyramid("RAS"))

modes = {"ascii": lambda w: w.SetDataModeToAscii(), "binary": lambda w: w.SetDataModeToBinary(),
         "raw": lambda w: (w.SetDataModeToAppended(), w.EncodeAppendedDataOff()),
         "base64": lambda w: (w.SetDataModeToAppended(), w.EncodeAppendedDataOn())}
for mode, set_mode in modes.items():
    for compressor in ("none", "zlib"):
        for header in (32, 64):
            writer = vtk.vtkXMLPolyDataWriter()
            set_mode(writer)
            writer.SetHeaderTypeToUInt32() if header == 32 else writer.SetHeaderTypeToUInt64()
            writer.SetCompressorTypeToNone() if compressor == "none" else writer.SetCompressorTypeToZLib()
            writer.SetByteOrder(0 if header == 32 else 1)  # vtkXMLWriter: 0 big endian, 1 little
            writer.SetBlockSize(64)  # several blocks
            if (compressor, header) not in [("none", 32), ("zlib", 64)] and mode != "raw":
                continue
            write(writer, f"{mode}_{compressor}_{header}.vtp", pyramid("RAS"))
writer = vtk.vtkXMLPolyDataWriter()
writer.SetCompressorTypeToLZ4()
write(writer, "lz4.vtp", pyramid())
write(vtk.vtkXMLPolyDataWriter(), "lps.vtp", pyramid("LPS"))
strips = vtk.vtkStripper()
strips.SetInputData(pyramid())
strips.Update()
write(vtk.vtkXMLPolyDataWriter(), "strips.vtp", strips.GetOutput())

for kind in ("ascii", "binary"):
    writer = vtk.vtkSTLWriter()
    writer.SetHeader("made by VTK, SPACE=RAS" if kind == "binary" else "made SPACE=RAS")
    writer.SetFileType(vtk.VTK_ASCII if kind == "ascii" else vtk.VTK_BINARY)
    write(writer, f"{kind}.stl", pyramid())

blocks = vtk.vtkMultiBlockDataSet()
group = vtk.vtkMultiBlockDataSet()
group.SetBlock(0, pyramid())
blocks.SetBlock(0, group)
writer = vtk.vtkGLTFWriter()
writer.SetInlineData(True)
write(writer, "vtk.glb", blocks)

# Quadrangles: nibabel reads them and writes none. Two of the pyramid's corners of (even, odd) first vertices.
QUADS = [[0, 1, 2, 3], [3, 4, 1, 0]]
for name, magic, code, scale in [("lh.quad", 0xFFFFFF, ">i2", 100), ("lh.quad_float", 0xFFFFFD, ">f4", 1)]:
    three = lambda n: struct.pack(">I", n)[1:]
    data = three(magic) + three(len(POINTS)) + three(len(QUADS))
    data += (POINTS * scale).astype(code).tobytes() + b"".join(three(v) for q in QUADS for v in q)
    (HERE / name).write_bytes(data)
    points, faces = read_geometry(HERE / name)
    assert np.allclose(points, POINTS), name
    print(name, faces.astype(int).tolist())

# The old morphometry format, hundredths as int16.
values = np.array([2.5, -0.25, 3.25, 1, 4])
(HERE / "lh.old_curv").write_bytes(struct.pack(">I", 5)[1:] + struct.pack(">I", 6)[1:] + (values * 100).astype(">i2").tobytes())
assert np.allclose(nib.freesurfer.read_morph_data(HERE / "lh.old_curv"), values)

(HERE / "lh.some.label").write_text("#!ascii label  , from subject  vox2ras=TkReg\n3\n4  -16.000  33.000  12.250 0.5000000000\n"
                                    "1  -10.000  30.000  5.000 1.0000000000\n2  -8.000  38.000  5.000 0.0000000000\n")
print("label", nib.freesurfer.read_label(HERE / "lh.some.label", read_scalars=True))

func = nib.gifti.GiftiImage()
for t in range(3):
    func.add_gifti_data_array(nib.gifti.GiftiDataArray(DEPTH + t, "NIFTI_INTENT_TIME_SERIES", "NIFTI_TYPE_FLOAT32"))
(HERE / "nibabel.func.gii.gz").write_bytes(gzip.compress(func.to_bytes(), mtime=0))
