"""Small pictures as data URIs, so that the report is one file."""

from __future__ import annotations

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

QUALITY = 88


def jpeg_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """Encode grey (H, W) or colour (H, W, 3) pixels; the same pixels give the same text."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, format="JPEG", quality=QUALITY, optimize=True, subsampling=0
    )
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
