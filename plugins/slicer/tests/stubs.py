"""Stand-ins for the parts of Slicer that are not in `slicer-core`: Qt, CTK, the application, the base classes of modules.

They keep what they are told and no more. With SLICER_PYTHON set to the folder Base/Python of Slicer's sources, Slicer's own
base classes and `parameterNodeWrapper` are used, and Qt, CTK and the application alone are stand-ins.
"""

import contextlib
import inspect
import os
import sys
import types
import unittest
import xml.etree.ElementTree as ET
from pathlib import Path

import slicer
import slicer.util
from fake_parameters import FakeParameters


class Signal:
    """What a widget emits."""

    def __init__(self):
        self.slots = []

    def connect(self, slot):
        self.slots.append(slot)

    def disconnect(self, slot):
        self.slots.remove(slot)

    def emit(self, *values):
        for slot in list(self.slots):
            # PythonQt gives a slot as many of the values as it takes.
            taken = inspect.signature(slot).parameters.values()
            wants_all = any(p.kind is p.VAR_POSITIONAL for p in taken)
            slot(*(values if wants_all else values[: len(taken)]))


# Property -> the signals of its change, in every widget used here.
NOTIFY = {
    "text": ["textChanged"],
    "checked": ["toggled", "stateChanged"],
    "currentIndex": ["currentIndexChanged"],
    "currentPath": ["currentPathChanged"],
    "node": ["currentNodeChanged"],
}


class Widget:
    """Any widget: attributes are properties, some with signals; a method that is not written here does nothing."""

    def __init__(self, *_):
        self.__dict__.update(signals={}, dynamic={}, history={}, is_silent=False, enabled=True, text="", checked=False, currentPath="")

    def __setattr__(self, name, value):
        is_change = self.__dict__.get(name) is not value and self.__dict__.get(name) != value
        self.__dict__[name] = value
        self.history.setdefault(name, []).append(value)
        if is_change and not self.is_silent:
            for signal in NOTIFY.get(name, ()):
                self.signal(signal).emit(value)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("clicked", "timeout", "toggled", "stateChanged") or name.endswith("Changed"):
            return self.signal(name)
        return lambda *_, **__: None

    def layout(self):
        return Widget()

    def signal(self, name):
        return self.signals.setdefault(name, Signal())

    def connect(self, signature, slot):
        self.signal(signature.split("(")[0]).connect(slot)

    def blockSignals(self, is_silent):
        before = self.is_silent
        self.__dict__["is_silent"] = is_silent
        return before

    def dynamicPropertyNames(self):
        return list(self.dynamic)

    def property(self, name):
        return self.dynamic.get(name)

    def setProperty(self, name, value):
        self.dynamic[name] = value

    def click(self):
        """What a user does; a disabled button takes no notice."""
        if self.enabled:
            self.signal("clicked").emit(False)


class ComboBox(Widget):
    def __init__(self, *_):
        super().__init__()
        self.__dict__.update(items=[], currentIndex=-1)

    def clear(self):
        self.items.clear()
        self.currentIndex = -1

    def addItem(self, text, data=None):
        self.items.append(text)
        if self.currentIndex < 0:
            self.currentIndex = 0

    def addItems(self, texts):
        for text in texts:
            self.addItem(text)

    def findText(self, text):
        return self.items.index(text) if text in self.items else -1

    @property
    def currentText(self):
        return self.items[self.currentIndex] if self.currentIndex >= 0 else ""

    def choose(self, text):
        """What a user does."""
        self.currentIndex = self.items.index(text)


class NodeComboBox(Widget):
    def __init__(self, *_):
        super().__init__()
        self.__dict__["node"] = None

    def currentNode(self):
        return self.node

    def setCurrentNode(self, node):
        self.node = node


class Timer(Widget):
    """Ticks when a test says so."""

    running = []

    def start(self, *_):
        Timer.running.append(self)

    def stop(self):
        if self in Timer.running:
            Timer.running.remove(self)

    @classmethod
    def tick(cls):
        for timer in list(cls.running):
            timer.signal("timeout").emit()


class Settings:
    values = {}

    def value(self, key, default=None):
        return Settings.values.get(key, default)

    def setValue(self, key, value):
        Settings.values[key] = value


class Toolkit(types.ModuleType):
    """`qt` and `ctk`: any class that is asked for is a widget, and the same one every time."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (ComboBox if name.endswith("ComboBox") else Widget,), {}))
        return getattr(self, name)


class Application(Widget):
    def moduleManager(self):
        return Widget()

    def testingEnabled(self):
        return True

    def translate(self, context, text):
        return text


def load_ui(path):
    """The widgets that a .ui file declares, by name."""
    panel = slicer.qMRMLWidget()
    panel.__dict__["children"] = {}
    for element in ET.parse(path).iter("widget"):
        kind = element.get("class")
        owner = slicer if kind.startswith("qMRML") else ctk if kind.startswith("ctk") else qt
        widget = getattr(owner, kind)()
        for entry in element.findall("property"):
            if entry.get("stdset") == "0" and entry.find("string") is not None:
                widget.setProperty(entry.get("name"), entry.findtext("string"))
        panel.children[element.get("name")] = widget
    return panel


def install(module_folder: Path) -> None:
    """Puts the stand-ins in place; once, before the module is imported."""
    sys.modules.update({"qt": qt, "ctk": ctk})
    qt.QTimer, qt.QSettings = Timer, Settings
    slicer.app = Application()
    slicer.qMRMLWidget = type("qMRMLWidget", (Widget,), {})
    slicer.qMRMLNodeComboBox = type("qMRMLNodeComboBox", (NodeComboBox,), {})
    slicer.qMRMLSliderWidget = slicer.qMRMLRangeWidget = type("qMRMLSliderWidget", (Widget,), {})
    slicer.mrmlScene = slicer.vtkMRMLScene()
    errors = []
    replacements = {
        "errors": errors,
        "errorDisplay": lambda message, *_, **__: errors.append(message),
        "loadUI": load_ui,
        "childWidgetVariables": lambda panel: types.SimpleNamespace(**panel.children),
        "settingsValue": lambda key, default, converter=None: default,
        "startupEnvironment": lambda: dict(os.environ),
        "modulePath": lambda name: str(module_folder / f"{name}.py"),
        "resetThreeDViews": lambda: None,
        "showStatusMessage": lambda *_: None,
        "setSliceViewerLayers": lambda **_: None,
        "tryWithErrorDisplay": try_with_error_display,
    }
    for name, value in replacements.items():
        setattr(slicer.util, name, value)
    if sources := os.environ.get("SLICER_PYTHON"):
        slicer.__path__.append(str(Path(sources) / "slicer"))
    else:
        _fake_modules()


@contextlib.contextmanager
def try_with_error_display(message, show=True, waitCursor=False):
    try:
        yield
    except Exception as error:
        slicer.util.errorDisplay(f"{message}\n\n{error}")


def _fake_modules():
    class Module:
        def __init__(self, parent):
            self.parent = parent

    class ModuleWidget:
        def __init__(self, parent=None):
            super().__init__()
            self.parent, self.layout = parent or Widget(), Widget()

        def setup(self):
            pass

        def resourcePath(self, name):
            return str(Path(slicer.util.modulePath("BrainmeshRays")).parent / "Resources" / name)

    class ModuleLogic:
        def __init__(self, parent=None):
            super().__init__()

        def getParameterNode(self):
            node = slicer.mrmlScene.GetSingletonNode("BrainmeshRays", "vtkMRMLScriptedModuleNode")
            if node is None:
                node = slicer.vtkMRMLScriptedModuleNode()
                node.SetSingletonTag("BrainmeshRays")
                node = slicer.mrmlScene.AddNode(node)
            return node

    class ModuleTest(unittest.TestCase):
        def delayDisplay(self, message):
            pass

    def module(name, **content):
        made = types.ModuleType(f"slicer.{name}")
        made.__dict__.update(content)
        sys.modules[made.__name__] = made
        setattr(slicer, name, made)

    module("i18n", tr=lambda text: text, translate=lambda context, text: text)
    module(
        "ScriptedLoadableModule",
        ScriptedLoadableModule=Module,
        ScriptedLoadableModuleWidget=ModuleWidget,
        ScriptedLoadableModuleLogic=ModuleLogic,
        ScriptedLoadableModuleTest=ModuleTest,
    )
    module("parameterNodeWrapper", parameterNodeWrapper=FakeParameters.wrap, Choice=list)


qt, ctk = Toolkit("qt"), Toolkit("ctk")
