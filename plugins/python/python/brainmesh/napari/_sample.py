"""Sample data: a made cortex whose layers are known."""

from __future__ import annotations

from ._to_layers import LayerData, contrast, image_layer, surface_layer


def phantom() -> list[LayerData]:
    """A folded cortex as a cell-body stain would show it, and its pial and white surface: all that "Rays to layers" asks for."""
    import brainmesh

    made = brainmesh.phantom()
    volume = made.volume
    return [
        image_layer(volume.data, volume.world_from_voxel, "phantom", contrast(volume.data[::4, ::4, ::4])),
        surface_layer(made.pial, "phantom pial"),
        surface_layer(made.white, "phantom white"),
    ]
