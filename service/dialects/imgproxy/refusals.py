"""The options of imgproxy that have no equal here, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_PRO = "an option of imgproxy Pro that has no equal here"
_LIMITS = "limits are those of the configuration, which no URL changes"
_SAVE = "saving as a file has no equal here"

_REASONS: Mapping[tuple[str, ...], str] = {
    (
        "sharpen",
        "sh",
    ): "libvips's sharpening of lightness has no equal here; sharpen=SIGMA of a canonical name is an unsharp mask",
    ("pixelate", "pix"): "has no equal here",
    ("watermark", "wm"): "has no equal here",
    ("skip_processing", "skp"): "originals do not leave as they are, nor their metadata",
    ("filename", "fn"): _SAVE,
    ("max_src_resolution", "msr"): _LIMITS,
    ("max_src_file_size", "msfs"): _LIMITS,
    ("max_animation_frames", "maf"): _LIMITS,
    ("max_animation_frame_resolution", "mafr"): _LIMITS,
    ("max_result_dimension", "mrd"): _LIMITS,
    ("resizing_algorithm", "ra"): _PRO,
    ("objects_position", "obj_pos", "op"): _PRO,
    ("crop_aspect_ratio", "crop_ar", "car"): _PRO,
    ("background_alpha", "bga"): _PRO,
    ("adjust", "a"): _PRO,
    ("brightness", "br"): _PRO,
    ("contrast", "co"): _PRO,
    ("saturation", "sa"): _PRO,
    ("monochrome", "mc"): _PRO,
    ("duotone", "dt"): _PRO,
    ("unsharp_masking", "ush"): _PRO,
    ("blur_detections", "bd"): _PRO,
    ("draw_detections", "dd"): _PRO,
    ("colorize", "col"): _PRO,
    ("gradient", "gr"): _PRO,
    ("watermark_url", "wmu"): _PRO,
    ("watermark_text", "wmt"): _PRO,
    ("watermark_size", "wms"): _PRO,
    ("watermark_rotate", "wm_rot", "wmr"): _PRO,
    ("watermark_shadow", "wmsh"): _PRO,
    ("style", "st"): _PRO,
    ("dpi",): _PRO,
    ("autoquality", "aq"): _PRO,
    ("jpeg_options", "jpgo"): _PRO,
    ("png_options", "pngo"): _PRO,
    ("webp_options", "webpo"): _PRO,
    ("avif_options", "avifo"): _PRO,
    ("page", "pg"): _PRO,
    ("pages", "pgs"): _PRO,
    ("disable_animation", "da"): _PRO,
    ("video_thumbnail_second", "vts"): _PRO,
    ("video_thumbnail_keyframes", "vtk"): _PRO,
    ("video_thumbnail_tile", "vtt"): _PRO,
    ("video_thumbnail_animation", "vta"): _PRO,
    ("fallback_image_url", "fiu"): _PRO,
    ("hashsum", "hs"): _PRO,
}


def _words() -> Iterator[tuple[str, str]]:
    for words, reason in _REASONS.items():
        for word in words:
            yield word, reason


REFUSED: Mapping[str, str] = dict(_words())
"""The reason for each spelling of a word."""
