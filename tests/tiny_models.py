"""Models of the real architectures, made small and random, saved in their real formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators


def tiny_depth_model(
    folder: Path, seed: int = 0, hidden: int = 32, max_depth: int | None = None
) -> Path:
    """Depth Anything V2 with a backbone of 4 narrow layers, as `save_pretrained` writes it.

    Args:
        folder: that it is written to.
        seed: of its weights.
        hidden: width of its layers.
        max_depth: largest depth in metres of a metric model; by default it is a relative one.
    """
    provide_torchvision_operators()
    import torch
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
    )
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    torch.manual_seed(seed)
    backbone = Dinov2Config(
        hidden_size=hidden,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=518,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=hidden,
        patch_size=14,
        neck_hidden_sizes=[8, 16, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=16,
        depth_estimation_type="metric" if max_depth else "relative",
        max_depth=max_depth or 1,
    )
    model: Any = DepthAnythingForDepthEstimation(config).eval()
    with torch.no_grad():  # a random head answers below zero nearly everywhere: lift it
        model.head.conv3.bias.fill_(-2.0 if max_depth else 2.0)
        model.head.conv3.weight.mul_(20)
    model.save_pretrained(folder)
    DPTImageProcessorPil(
        size={"height": 518, "width": 518},
        ensure_multiple_of=14,
        keep_aspect_ratio=True,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
        resample=3,
    ).save_pretrained(folder)
    return folder


def tiny_depth_pro(folder: Path, seed: int = 0, field_of_view: float | None = 60.0) -> Path:
    """Depth Pro with encoders of 2 narrow layers and an input of 128 pixels a side.

    Args:
        folder: that it is written to.
        seed: of its weights.
        field_of_view: about what it predicts, in degrees; None for a model without that part.
    """
    provide_torchvision_operators()
    import torch
    from transformers import DepthProConfig, DepthProForDepthEstimation, Dinov2Config
    from transformers.models.depth_pro.image_processing_depth_pro import DepthProImageProcessor

    torch.manual_seed(seed)
    encoder = Dinov2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=4
    )
    config = DepthProConfig(
        image_model_config=encoder.to_dict(),
        patch_model_config=encoder.to_dict(),
        fov_model_config=encoder.to_dict(),
        patch_size=32,
        fusion_hidden_size=16,
        intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[8, 8],
        scaled_images_feature_dims=[8, 8, 8],
        use_fov_model=field_of_view is not None,
    )
    model: Any = DepthProForDepthEstimation(config).eval()
    with torch.no_grad():  # random answers are far apart: bring inverse depth near 0.3
        model.head.layers[-2].weight.mul_(0.005)
        model.head.layers[-2].bias.fill_(0.3)
        if field_of_view is not None:
            model.fov_model.head.layers[-1].bias.fill_(field_of_view)
    model.save_pretrained(folder)
    DepthProImageProcessor(size={"height": 128, "width": 128}).save_pretrained(folder)
    return folder


def tiny_sam(file: Path, seed: int = 0) -> Path:
    """Segment Anything with an image encoder of 2 narrow layers, as a checkpoint."""
    provide_torchvision_operators()
    import torch
    from segment_anything.build_sam import _build_sam

    torch.manual_seed(seed)
    model = _build_sam(
        encoder_embed_dim=32,
        encoder_depth=2,
        encoder_num_heads=2,
        encoder_global_attn_indexes=[1],
    )
    with torch.no_grad():  # random logits lie near zero, where no mask is stable: spread them
        for branch in model.mask_decoder.output_hypernetworks_mlps:
            branch.layers[-1].weight.mul_(1000)
            branch.layers[-1].bias.mul_(1000)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), file)
    return file


def tiny_dexined(file: Path, seed: int = 0) -> Path:
    """DexiNed (it has but one size) with random weights, as a checkpoint."""
    import torch
    from kornia.models.dexined import DexiNed

    torch.manual_seed(seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(DexiNed(pretrained=False).state_dict(), file)
    return file


LENIENT: dict[str, Any] = {
    "points_per_side": 3,
    "pred_iou_thresh": -100.0,
    "stability_score_thresh": 0.5,
    "box_nms_thresh": 1.0,
}
"""Parameters of SAM that let a random model's masks through."""


def tiny_qwen_processor(folder: Path) -> Path:
    """The files of Qwen2.5-VL's processor, with a token per byte and no merges.

    Its `min_pixels` and `max_pixels` are those that Qwen ships, not those of any trainer.
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in plain] + [chr(256 + number) for number in range(68)]
    special = [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
        "<|image_pad|>", "<|video_pad|>",
    ]  # fmt: skip
    plainly = dict.fromkeys(("lstrip", "rstrip", "normalized", "single_word"), False)
    tokenizer = {
        "tokenizer_class": "Qwen2Tokenizer",
        "processor_class": "Qwen2_5_VLProcessor",
        "added_tokens_decoder": {
            str(len(letters) + number): {"content": text, "special": True, **plainly}
            for number, text in enumerate(special)
        },
        "pad_token": special[0],
        "eos_token": special[2],
        "chat_template": (
            "{% for turn in messages %}<|im_start|>{{ turn['role'] }}\n"
            "{{ turn['content'] }}<|im_end|>\n{% endfor %}"
        ),
    }
    pictures = {
        "image_processor_type": "Qwen2VLImageProcessor",
        "processor_class": "Qwen2_5_VLProcessor",
        "min_pixels": 56 * 56,
        "max_pixels": 28 * 28 * 16384,
        "patch_size": 14,
        "temporal_patch_size": 2,
        "merge_size": 2,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "merges.txt").write_text("#version: 0.2\n")
    for name, content in {
        "vocab": {letter: number for number, letter in enumerate(letters)},
        "tokenizer_config": tokenizer,
        "preprocessor_config": pictures,
        "config": {"model_type": "qwen2_5_vl"},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
