"""A stand-in for Slicer's `parameterNodeWrapper`: typed attributes over a parameter node, bound to widgets by name."""

import typing

import slicer
import vtk


class FakeParameters:
    """Values are kept as strings of the node, and nodes as its references, as in Slicer."""

    fields: dict
    defaults: dict

    @staticmethod
    def wrap(declared):
        hints = typing.get_type_hints(declared, include_extras=True)
        defaults = {name: getattr(declared, name) for name in hints if hasattr(declared, name)}
        return type(declared.__name__, (FakeParameters,), {"fields": hints, "defaults": defaults})

    def __init__(self, node):
        self.__dict__.update(parameterNode=node, bound={})

    def __getattr__(self, name):
        if name not in self.fields:
            raise AttributeError(name)
        kind = _kind(self.fields[name])
        if kind is vtk.vtkObject:
            return self.parameterNode.GetNodeReference(name)
        if not self.parameterNode.GetParameter(name):
            return self.defaults.get(name, kind())
        text = self.parameterNode.GetParameter(name)
        return text == "True" if kind is bool else kind(text)

    def __setattr__(self, name, value):
        if name not in self.fields:
            raise AttributeError(f"no parameter {name}")
        before = self.parameterNode.StartModify()
        if _kind(self.fields[name]) is vtk.vtkObject:
            self.parameterNode.SetNodeReferenceID(name, value.GetID() if value else None)
        else:
            self.parameterNode.SetParameter(name, str(value))
        self.parameterNode.EndModify(before)

    def AddObserver(self, *arguments):
        return self.parameterNode.AddObserver(*arguments)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def connectGui(self, ui):
        for widget in vars(ui).values():
            if name := widget.property("SlicerParameterName"):
                for choice in getattr(self.fields[name], "__metadata__", [[]])[0]:
                    widget.addItem(choice)
                write(widget, getattr(self, name))
                self.bound[name] = widget
                for signal in ("textChanged", "toggled", "currentIndexChanged", "currentPathChanged", "currentNodeChanged"):
                    widget.signal(signal).connect(lambda _, n=name, w=widget: self._follow(n, w))
        # Another object may write to the same node.
        return self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: [write(w, getattr(self, n)) for n, w in self.bound.items()])

    def disconnectGui(self, tag):
        self.RemoveObserver(tag)
        for widget in self.bound.values():
            for signal in widget.signals.values():
                signal.slots.clear()
            if hasattr(widget, "items"):
                widget.blockSignals(True)
                widget.clear()
                widget.blockSignals(False)
        self.bound.clear()

    def _follow(self, name, widget):
        value = read(widget, _kind(self.fields[name]))
        if value is not getattr(self, name) and value != getattr(self, name):
            setattr(self, name, value)


def _kind(hint):
    """The Python type of a field; vtkObject stands for any node."""
    plain = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    kinds = typing.get_args(plain) or (plain,)
    if len(kinds) > 1:
        assert type(None) in kinds, f"{hint}: Slicer's wrapper cannot leave it unset"
        kinds = [k for k in kinds if k is not type(None)]
    return vtk.vtkObject if all(issubclass(k, slicer.vtkMRMLNode) for k in kinds) else kinds[0]


def read(widget, kind):
    name = type(widget).__name__
    if "NodeComboBox" in name:
        return widget.currentNode()
    if "ComboBox" in name:
        return kind(widget.currentText)
    if "CheckBox" in name:
        return widget.checked
    return kind(widget.currentPath) if "Path" in name else kind(widget.text)


def write(widget, value):
    name = type(widget).__name__
    if "NodeComboBox" in name:
        widget.setCurrentNode(value)
    elif "ComboBox" in name:
        widget.choose(value)
    elif "CheckBox" in name:
        widget.checked = value
    elif "Path" in name:
        widget.currentPath = str(value)
    else:
        widget.text = value
