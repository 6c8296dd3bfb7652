"""The formats of exports, by name."""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.exports.bagel import Bagel
from sgt_data.exports.bagel_edit import BagelEdit
from sgt_data.exports.energon import Energon
from sgt_data.exports.export_format import ExportFormat
from sgt_data.exports.folders import Folders
from sgt_data.exports.hf import HuggingFace
from sgt_data.exports.lmms_engine import LmmsEngine
from sgt_data.exports.omnigen2 import OmniGen2

FORMATS: Mapping[str, type[ExportFormat]] = {
    export_format.name: export_format
    for export_format in (Bagel, BagelEdit, Energon, Folders, HuggingFace, LmmsEngine, OmniGen2)
}
