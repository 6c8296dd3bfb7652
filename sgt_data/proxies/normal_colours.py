"""Surface normals as colours, for those who read drawings: the rules lie in `pictures`."""

from sgt_data.pictures.normal_colours import (
    CONVENTIONS,
    Directions,
    NormalsConvention,
    colours_of_normals,
    directions_of,
    is_unit_colour,
    normals_of_colours,
)

__all__ = [
    "CONVENTIONS",
    "Directions",
    "NormalsConvention",
    "colours_of_normals",
    "directions_of",
    "is_unit_colour",
    "normals_of_colours",
]
