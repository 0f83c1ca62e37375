"""The sample in Slicer's module Sample Data. Needs the application."""

import slicer
from slicer.i18n import tr as _

from .driver import Driver
from .install import MODULE_FOLDER, ensure_program
from .tasks import make_sample


def register_sample():
    """Offers a made cortex in the module Sample Data."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Brainmesh",
        sampleName="BrainmeshPhantom",
        uris="",
        fileNames="",
        nodeNames="",
        thumbnailFileName=str(MODULE_FOLDER / "Resources" / "Icons" / "BrainmeshPhantom.jpg"),
        customDownloader=make_sample_in_background,
    )


def make_sample_in_background(source=None):
    """Makes the sample while the application stays usable."""

    def progress(now):
        slicer.util.showStatusMessage(f"{now.stage} {now.percent} %")

    def done(nodes):
        slicer.util.setSliceViewerLayers(background=nodes[0], fit=True)
        slicer.util.showStatusMessage(_("The sample is in the scene."), 3000)

    with slicer.util.tryWithErrorDisplay(_("The sample cannot be made."), waitCursor=False):
        task = make_sample(slicer.mrmlScene, ensure_program())
        # Somebody has to hold on to it until it is done.
        make_sample_in_background.driver = Driver(task, progress, done, slicer.util.errorDisplay)
