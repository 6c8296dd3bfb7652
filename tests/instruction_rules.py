"""What every line of an instruction bank must say, and must not, as far as a machine can tell.

The rule is in docs/instructions.md: a stranger who reads only the line paints the right kind of
picture. A line tells what to draw and in which form. Here each is a set of words, of which a line
holds at least one. Lines that pass may still be bad; lines that fail are.
"""

from __future__ import annotations

_COLOURED = "colou?r|hue|tint|shade|tone|paint|mask|fill|palette|crayon|chalk|sheet"
_OF_ITS_OWN = (
    "\\bown|differ|distinct|separat|unique|another|repeat|no two|fresh|\\bnew\\b|apart|individual|"
    "as many|never|not used|contrast|apiece|a colou?r for|one (flat |even |plain |single |solid |"
    "uniform |unshaded )*colou?r|to itself|themselves|no other|alike|"
    "one [a-z]+, one colou?r|colou?rs? each|single colou?r|alone|else"
)
_NEAR = "near|clos|front|foreground|proxim|short|inverse|disparit|approach|reach|first|here|camera"
_FAR_OR_NEAR = "depth|distan|near|close|far|disparit|range|proxim|remote|geometry|recede"
_COPY = (
    "same|cop(y|i)|identical|unchanged|again|once more|exact|reproduc|duplicat|clon|replica|equal|"
    "unaltered|unedited|unmodified|as it is|as is|original|repeat|untouched|echo|faithful|back|"
    "input|(without|no|not|don't|nothing|zero|null|never)\\b.*(edit|chang|retouch|alter|differ|modif|"
    "filter|process|loss|touch|addition|correct|depart|deviat|shift|drop|invent|transform)|"
    "chang.*nothing|agree|coincid|indistinguishable|way it|swap places|facsimile|differs? from|"
    "as (you|given|supplied)|starting point|accurately|precisely|distance|deviation|given image"
)

SAYS: dict[str, tuple[str, ...]] = {
    "segmentation_entity": (
        "region|segment|part|piece|entit|component|everything|mask|bits|unit|area|chunk|whole",
        _COLOURED,
        "part|piece|region|detail|component|bits|tiny|small|surface|patch|whatever|entit|label|"
        "kind|class|categor|name|identit|vocabul|generic",
        _OF_ITS_OWN,
    ),
    "segmentation_instance": (
        "object|instance|thing|item|individual|countable|unit",
        _COLOURED,
        "black|background|stuff|scenery|surround|backdrop|uncountable|only|alone|nothing else|rest|"
        "setting|landscape|foreground|everything else",
    ),
    "segmentation_panoptic": (
        "object|instance|thing|item|countable|individual",
        "background|stuff|surround|uncountable|scenery|backdrop|setting|material|terrain|class|wall",
        "kind|type|class|categor|sort|material|stuff",
        _COLOURED + "|segment|map",
    ),
    "segmentation_semantic": ("class|categor|kind|type|semantic|sort|noun", _COLOURED + "|map"),
    "each": (
        r"\{(a_)?things?\}",
        r"\{background\}",
        _COLOURED + "|ink|dye|resin|badge|jumpsuit|fill",
        _OF_ITS_OWN + "|individual|one by one|unlike|none like|twice|repeat|no second|each|every|"
        "as many|one [a-z]+|variously|a new|second|afresh|exclusive|private|per",
        # all background where there is none
        r"\bno\b|\bnone\b|\bnot\b|n't\b|without|lack|absen|empty|zero|nought|nothing|missing|any\b|"
        "nobody|never|nowhere|only|alone|in vain|all|perhaps|if|optional|or not|however|elsewhere|"
        "wherever|free of|no more|throughout|entire|whole|bare|just|remain",
    ),
    "referring_colour": (r"\{target\}", r"\{color\}", r"\{background\}"),
    "referring": (r"\{target\}", "white", "black|dark|rest|nothing|background|silhouette|stencil"),
    "legend": (
        r"\{legend\}",
        r"\{background\}",
        "colou?r|paint|fill|palette|segment|map|flat|mask|code|label|shade|ink|uniform|cloth",
        "absent|missing|skip|omit|lack|ignor|unused|unneeded|unseen|empty|bare|without|nothing|none|"
        "nowhere|n't|\\bno\\b|\\bnot\\b|never|\\bonly\\b|may |if it is|as far as|occurs|really has|"
        "off the|disregard|leave|passed|zero",
    ),
    "boxes": ("box|rectangle|frame", "black|dark|blank|empty|void|without the (photo|picture)"),
    "boxes_overlay": (
        "box|rectang|frame",
        "photo|picture|image|overlay|original|on top|over|shot|scene|input|print|in place|in situ",
    ),
    "depth_grey": (
        _FAR_OR_NEAR,
        "gr[ae]y|black|white|mono|tone|bright|light|pale|lumin|dark|colourless",
        _NEAR,
        "white|light|bright|pale|high|lumin|inverse|disparit|intens",
    ),
    "depth_inferno": (
        _FAR_OR_NEAR,
        "inferno|fire|fiery|flame|yellow|ember|lava|glow|heat|hot|burn|volcan",
        _NEAR + "|bright end|high",
    ),
    "metric_depth": (
        r"\{scale\}",
        r"met(re|ric)|distan|depth|how far|\brange\b|remote|lengths?\b",
        "blend|mix|smooth|interpol|continu|grad|between|fad|flow|transition|run|melt|lerp|ramp|merg|"
        "evenly|shad|dissolv|pass|into",
    ),
    "normals": (
        r"\{axes\}",
        "normal",
        "black",
        "camera|view|lens|photographer",
    ),
    "edge_canny": (
        "edge|contour|outline|line|border|canny|boundar",
        "canny|thin|fine|pixel|hair|slim|narrow|binary|two-|hard|crisp|sharp|slender|bitmap|bit|"
        "needle|hysteresis|definite",
        "canny|white|black|binary|bitmap|bit\\b|two.(tone|value|level)",
    ),
    "edge_learned": (
        "edge|contour|outline|boundar|border|silhouette|line|rim",
        "object|shape|structur|learned|network|neural|detector|texture|thing|form|person|people|"
        "perce|human|meaning|surface|scene|model",
        "soft|white|gr[ae]y|light|bright|black|learned|network|neural|trained|pale|glow|detector",
    ),
    "edge_soft": (
        "edge|gradient|contrast|sobel|deriv|slope|border|transition|change|steep|outline|contour|"
        "tone|variation|differ",
        "sobel|gr[ae]y|bright|light|white|magnitude|soft|dark|black|shade",
        "sobel|gradient|contrast|strength|strong|magnitude|deriv|proportion|continuous|abrupt|steep|"
        "slope|sharp|change|weak|differ|threshold|tonal|step|degree|variation",
    ),
    "inpainting": (
        "gr[ae]y|hidden|hole|missing|mask|cover|gap|blank|inpaint|stroke|box|conceal|blot|obscur|"
        "obstruct|unknown|block|erased|lost|scribbl|damage|redact|censor",
    ),
    "mae": ("patch|square|tile|grid|block|cell|mosaic",),
    "colorization": (
        "colou?r|hue|chroma|tint|pigment|palette|polychrom|rgb|spectrum",
        "gr[ae]y|black.and.white|monochrom|colou?rless|b&w|desaturat|coloriz|colouris|luminance|"
        "natural colou?r|saturat|lightness|full.colou?r|achromatic|panchrom|single-channel|"
        "colou?r (photo|version)|has lost|without (any )?colou?r|no colou?r|one.channel",
    ),
    "deblur": (
        "motion|shak|mov(e|ing)|movement|steady|tripod|jolt|jerk|blur|camera|smear|wobbl|sway|"
        "streak|still|drift|stabilis",
    ),
    "denoise": ("nois|artefact|artifact|corrupt|compress|interferen|disturb|degrad|impur|codec",),
    "derain": ("rain|fog|weather|haz|mist|streak|murk|precipitation",),
    "enhance": ("dark|expos|light|bright|shadow|dim|illumin|gloom|black|lit\\b|night",),
    "super_resolution": (
        "resol|detail|upscal|enlarg|thumbnail|small|high.def|hd\\b|upsampl|shr[iu]nk|pixel|tiny|"
        "downs|definition|4k|coarse|magnif|upres|up-res|sampl",
    ),
    "reconstruction": (_COPY,),
    "generate": (r"\{map\}", "photo|picture|image|snapshot|camera"),
    "degrade": (r"\b(a|the|plausible|credible|one possible|which) \{map\}",),
}

_NEVER_MATCHES = r"(?!)"

NEVER: dict[str, str] = dict.fromkeys(SAYS, _NEVER_MATCHES) | {
    "segmentation_entity": "panoptic|inferno",
    "segmentation_instance": "panoptic",
    "boxes_overlay": "black",
    "legend": r"own colou?r|each (object|instance) |depth|\b(red|green|blue|black|white|gr[ae]y)\b",
    "depth_grey": "inferno|yellow|orange|purple|flame",
    "metric_depth": "inferno|flame|fire|gr[ae]yscale|shades of gr[ae]y|relative|bright",
    "edge_canny": "sobel|learned|neural|gradation of grey",
    "edge_learned": "sobel|canny",
    "edge_soft": "canny|learned|neural",
    "each": r"\b(white|black|a \{thing\})",
    "referring_colour": r"\b(white|black|grey|gray|an? \{(color|background)\})",
    "inpainting": r"\b(patches|tiles?|grid|squares?)\b",
    "mae": "stroke|scribbl|brush",
}
"""Words that ask for the picture of another bank."""

MAKERS = (
    r"\b(HED|holistic\w*|PiDi\w*|TEED|BSDS|SAM|SA-1B|segment.anything|MiDaS|Depth.Anything|DexiNed|"
    r"Marigold|COCO|ADE20K|OpenCV|cv2|kornia|Kinect|DPT|Mask R-CNN|YOLO)\b"
)
"""Networks, data sets and libraries: they may not have made the target of a sample."""
