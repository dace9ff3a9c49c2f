"""Convert the colours of a picture from its embedded ICC profile to sRGB, as browsers do."""

import io

import numpy as np
from PIL import Image, ImageCms

# A profile that moves no colour further than this, in levels of 255, is sRGB but for rounding:
# the pixels are left as they are.
ROUNDING = 2

# Profiles of displays, cameras, printers and colour spaces describe colours; others only link or
# name them.
_CLASSES = ("mntr", "scnr", "prtr", "spac")


def to_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Convert an 8-bit picture with an ICC profile to sRGB: mode RGB, or RGBA if it has alpha.

    The picture is returned as it is if the profile is absent, broken, for another colour model
    than the picture's, or sRGB itself.

    Args:
        image: A picture with 8 bits a channel, of any mode.
        profile: The bytes of the profile, as Pillow's `info["icc_profile"]`; anything else counts
            as no profile.
    """
    if not isinstance(profile, bytes) or not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.device_class.strip() not in _CLASSES:
            return image
        model = _color_model(image, source.profile.xcolor_space.strip())
        if model is None:
            return image
        target = ImageCms.createProfile("sRGB")
        # Of 256 greys each is computed as it is: LittleCMS's shortcut is 9 levels off in the dark.
        flags = ImageCms.Flags.NOOPTIMIZE if model == "L" else ImageCms.Flags.NONE
        transform = ImageCms.buildTransform(source, target, model, "RGB", flags=flags)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return image  # browsers ignore a broken profile, too
    if not isinstance(transform, ImageCms.ImageCmsTransform) or _keeps_colors(transform, model):
        return image
    colors, alpha = _split_alpha(image, model)
    if model == "L":
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        converted = Image.fromarray(np.asarray(transform.apply(ramp))[0][np.asarray(colors)])
    else:
        converted = transform.apply(colors)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _color_model(image: Image.Image, space: str) -> str | None:
    """Return the mode in which a profile for `space` applies to the image, None if it does not."""
    if image.mode == "CMYK":
        return "CMYK" if space == "CMYK" else None
    if image.mode == "LAB":
        return None
    if space == "GRAY" and image.mode in ("1", "L", "LA", "La"):
        return "L"
    return "RGB" if space == "RGB" else None


def _split_alpha(image: Image.Image, model: str) -> tuple[Image.Image, Image.Image | None]:
    """Split an image into its colours, in the mode `model`, and its alpha channel if any."""
    if not image.has_transparency_data:
        return image.convert(model), None
    layered = image.convert("RGBA")
    alpha = layered.getchannel("A")
    return (layered.getchannel("R") if model == "L" else layered.convert("RGB")), alpha


def _keeps_colors(transform: ImageCms.ImageCmsTransform, model: str) -> bool:
    """Say whether a transform leaves every grey and a grid of colours as they are."""
    if model == "CMYK":
        return False
    ramp = np.arange(256, dtype=np.uint8)
    if model == "L":
        before = ramp[None]
    else:
        steps = np.linspace(0, 255, 9).astype(np.uint8)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
        before = np.concatenate([grid, ramp[:, None].repeat(3, 1)])[None]
    after = np.asarray(transform.apply(Image.fromarray(before)), np.int64)
    expected = before[..., None] if model == "L" else before
    return bool(np.abs(after - expected).max() <= ROUNDING)
