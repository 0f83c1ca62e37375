"""Stand-ins for the parts of Slicer that are not in `slicer-core`: Qt, CTK and the base classes of scripted modules.

They keep what is told them and no more. With SLICER_PYTHON set to the folder Base/Python of Slicer's sources, Slicer's own
base classes and `parameterNodeWrapper` take the place of the stand-ins here, and only Qt and CTK are stand-ins.
"""

import contextlib
import importlib
import os
import sys
import types
import unittest
from pathlib import Path

import slicer


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
            slot(*values)


class Widget:
    """Any widget: attributes are properties, what ends in a signal's name is a signal, any other call does nothing."""

    def __init__(self, *_):
        self.__dict__.update(name="", text="", enabled=True, visible=True, value=0, items=[], index=-1)
        self.__dict__["properties"] = {}
        self.__dict__["signals"] = {}

    def connect(self, signature, slot):
        self.signal(signature.split("(")[0]).connect(slot)

    def signal(self, name):
        return self.signals.setdefault(name, Signal())

    def dynamicPropertyNames(self):
        return list(self.properties)

    def property(self, name):
        return self.properties.get(name)

    def setProperty(self, name, value):
        self.properties[name] = value

    def click(self):
        if self.enabled:
            self.signal("clicked").emit(False)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name.endswith("Changed") or name in ("clicked", "timeout"):
            return self.signal(name)
        return lambda *_, **__: None


class ComboBox(Widget):
    def clear(self):
        self.items.clear()
        self.currentIndex = -1

    def addItem(self, text, data=None):
        self.items.append((text, data))
        if self.index < 0:
            self.currentIndex = 0

    def addItems(self, texts):
        for text in texts:
            self.addItem(text)

    def findText(self, text):
        return [t for t, _ in self.items].index(text) if text in [t for t, _ in self.items] else -1

    @property
    def count(self):
        return len(self.items)

    @property
    def currentText(self):
        return self.items[self.index][0] if 0 <= self.index < len(self.items) else ""

    @currentText.setter
    def currentText(self, text):
        self.currentIndex = self.findText(text)

    @property
    def currentIndex(self):
        return self.index

    @currentIndex.setter
    def currentIndex(self, index):
        if index != self.index:
            self.__dict__["index"] = index
            self.signal("currentIndexChanged").emit(index)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)


class NodeComboBox(Widget):
    def currentNode(self):
        return self.__dict__.get("node")

    def setCurrentNode(self, node):
        if node is not self.currentNode():
            self.__dict__["node"] = node
            self.signal("currentNodeChanged").emit(node)


class PathLineEdit(Widget):
    def __init__(self, *_):
        super().__init__()
        self.__dict__["path"] = ""

    @property
    def currentPath(self):
        return self.path

    @currentPath.setter
    def currentPath(self, path):
        if path != self.path:
            self.__dict__["path"] = path
            self.signal("currentPathChanged").emit(path)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
