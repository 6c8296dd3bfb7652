"""Models of the real architectures, made small and random, saved in their real formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators


def tiny_depth_model(folder: Path, seed: int = 0, hidden: int = 32) -> Path:
    """Depth Anything V2 with a backbone of 4 narrow layers, as `save_pretrained` writes it."""
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
    )
    model: Any = DepthAnythingForDepthEstimation(config).eval()
    with torch.no_grad():  # a random head answers below zero nearly everywhere: lift it
        model.head.conv3.bias.fill_(2.0)
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
