"""Secrets in every field that exiftool can write, and what of them can still be found.

exiftool is the judge: it names the tags that are left. The bytes are searched as well, in the encodings that metadata
uses, for what exiftool does not know of.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

SECRET = "xyzzy-secret"
_GROUPS = ("EXIF", "GPS", "IPTC", "XMP", "PNG", "Photoshop", "Ducky", "GIF", "JFIF", "MIE", "AFCP", "CanonVRD")
# What any file has, and what exiftool computes.
_COMMON = ("ExifTool", "System", "File", "Composite", "SourceFile")
_NEVER = "0000:00:00 00:00:00"  # the date of a movie that says none
_TRACK = (
    *("TrackHeaderVersion", "TrackID", "TrackDuration", "TrackLayer", "TrackVolume", "MatrixStructure"),
    *("MediaHeaderVersion", "MediaTimeScale", "MediaDuration", "MediaLanguageCode", "HandlerType", "GraphicsMode"),
    *("OpColor", "OtherFormat", "ImageWidth", "ImageHeight", "AuxiliaryImageType"),
    *("TimeToSampleTable", "SampleToChunk", "SampleSizes", "ChunkOffset", "SyncSampleTable"),
    *("Unknown_edts", "Unknown_av1C", "Unknown_colr", "Unknown_ccst"),  # runs, the codec, its colours, constraints
    *("Unknown_auxi", "Unknown_auxl"),  # that it is the transparency, and of which track
)
# What decoding needs, so that it must be there.
_STRUCTURE = {
    "JFIF": ("JFIFVersion", "ResolutionUnit", "XResolution", "YResolution"),
    "Adobe": ("DCTEncodeVersion", "APP14Flags0", "APP14Flags1", "ColorTransform"),
    "PNG": (
        *("ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace", "Palette"),
        *("Transparency", "Gamma", "SRGBRendering", "ProfileName", "AnimationFrames", "AnimationPlays"),
    ),
    "PNG-cHRM": tuple(f"{name}{axis}" for name in ("WhitePoint", "Red", "Green", "Blue") for axis in "XY"),
    "RIFF": (
        *("WebP_Flags", "ImageWidth", "ImageHeight", "VP8Version", "HorizontalScale", "VerticalScale"),
        *("AlphaIsUsed", "AlphaPreprocessing", "AlphaFiltering", "AlphaCompression"),
        *("BackgroundColor", "AnimationLoopCount", "Duration"),
    ),
    "GIF": (
        *("GIFVersion", "ImageWidth", "ImageHeight", "HasColorMap", "ColorResolutionDepth", "BitsPerPixel"),
        *("BackgroundColor", "AnimationIterations", "TransparentColor", "FrameCount", "Duration", "PixelAspectRatio"),
    ),
    "QuickTime": (  # AVIF
        *("MajorBrand", "MinorVersion", "CompatibleBrands", "HandlerType", "ImageSpatialExtent", "ImagePixelDepth"),
        *("AV1ConfigurationVersion", "SeqProfile", "SeqLevelIdx0", "SeqTier0", "HighBitDepth", "TwelveBit"),
        *("ChromaFormat", "ChromaSamplePosition", "InitialDelaySamples", "ColorProfiles", "ColorPrimaries"),
        *("TransferCharacteristics", "MatrixCoefficients", "VideoFullRangeFlag", "AuxiliaryImageType"),
        *("MediaData", "MediaDataSize", "MediaDataOffset"),
        # and of a sequence
        *("MovieHeaderVersion", "TimeScale", "Duration", "PreferredRate", "PreferredVolume", "PreviewTime"),
        *("PreviewDuration", "PosterTime", "SelectionTime", "SelectionDuration", "CurrentTime", "NextTrackID"),
        "MatrixStructure",
    ),
    **dict.fromkeys(("Track1", "Track2"), _TRACK),
    "Jpeg2000": ("MajorBrand", "MinorVersion", "CompatibleBrands"),  # as exiftool calls the boxes of JPEG XL
    "Meta": ("PrimaryItemReference",),
}
# A TIFF is made of tags; in any other format these would be EXIF.
_TIFF = {
    *("ImageWidth", "ImageHeight", "BitsPerSample", "Compression", "PhotometricInterpretation", "FillOrder"),
    *("StripOffsets", "Orientation", "SamplesPerPixel", "RowsPerStrip", "StripByteCounts", "PlanarConfiguration"),
    *("PageNumber", "Predictor", "WhitePoint", "PrimaryChromaticities", "ExtraSamples", "ColorMap", "SampleFormat"),
    *("TileWidth", "TileLength", "TileOffsets", "TileByteCounts", "YCbCrSubSampling", "JPEGTables"),
    *("PreviewImageStart", "PreviewImageLength", "PreviewImage"),  # as exiftool calls strips of JPEG
}


def write_secrets(*paths: Path) -> None:
    """Write the secret into every field of every file that takes it; fields that want something else stay empty."""
    xmp, others = _fields(xmp=True), _fields(xmp=False)
    jpegs = [path for path in paths if path.suffix == ".jpg"]
    with tempfile.NamedTemporaryFile(suffix=".xmp") as packet:
        packet.write(_packet())
        packet.flush()
        # In a JPEG no segment holds that packet; exiftool spreads fields over several, but takes seconds to set them.
        for given, files in ((xmp, jpegs), ([f"-XMP<={packet.name}"], sorted({*paths} - {*jpegs}))):
            if files:
                _write(["-overwrite_original", *given, *others], files)
    for path in paths:
        assert path.read_bytes().count(SECRET.encode()) > 50, path.name


def _fields(*, xmp: bool) -> list[str]:
    """The arguments that write the secret into all fields of XMP, or into all others."""
    given = [f"-{group}:{tag}={SECRET}" for group, tag in _writable() if (group == "XMP") == xmp]
    return given if xmp else [*given, f"-Comment={SECRET}", "-GPS:GPSLatitude=48.2", "-GPS:GPSLongitude=16.37"]


@cache
def _packet() -> bytes:
    """A packet of XMP with the secret in every field."""
    with tempfile.TemporaryDirectory() as folder:
        packet = Path(folder) / "packet.xmp"
        _write([*_fields(xmp=True), "-o", str(packet)])
        written = packet.read_bytes()
    assert written.count(SECRET.encode()) > 1000
    return written


def _write(arguments: Sequence[str], paths: Sequence[Path] = ()) -> None:
    """Run exiftool once. Thousands of fields do not take a text, which is what it warns of; the files tell whether it
    worked."""
    with tempfile.NamedTemporaryFile("w", suffix=".args") as file:
        file.write("\n".join(arguments) + "\n")
        file.flush()
        _exiftool("-m", "-q", "-q", "-@", file.name, *map(str, paths))


def secrets(data: bytes) -> list[str]:
    """The encodings in which the secret is still among the bytes."""
    return [encoding for encoding in ("ascii", "utf-16-le", "utf-16-be") if SECRET.encode(encoding) in data]


def tags(path: Path) -> dict[str, str]:
    """What exiftool finds in a file beyond its structure: `Group:Tag` to value. ICC profiles are left out."""
    return tags_of([path])[0]


def tags_of(paths: Sequence[Path]) -> list[dict[str, str]]:
    """The same of many files, in their order, by one run of exiftool."""
    with tempfile.NamedTemporaryFile("w", suffix=".args") as arguments:
        arguments.write("\n".join(map(str, paths)))
        arguments.flush()
        documents = json.loads(_exiftool("-j", "-G1", "-a", "-u", "-s", "-@", arguments.name))
    assert [document["SourceFile"] for document in documents] == list(map(str, paths))
    return [_beyond_structure(document) for document in documents]


def _beyond_structure(document: dict[str, object]) -> dict[str, str]:
    tiff = {f"IFD0:{tag}" for tag in _TIFF} if document.get("File:FileType") == "TIFF" else set()
    told = {name: str(value) for name, value in document.items() if name not in tiff and not _is_structure(name)}
    return {name: value for name, value in told.items() if value != _NEVER}


def _is_structure(name: str) -> bool:
    group, _, tag = name.partition(":")
    return group in _COMMON or group.startswith("ICC") or tag in _STRUCTURE.get(group, ())


@cache
def _writable() -> tuple[tuple[str, str], ...]:
    lists = _exiftool(*(word for group in _GROUPS for word in ("-listw", f"-{group}:all", "-execute")))
    found = (part.split()[2:] for part in lists.split("Writable ")[1:])  # behind "GROUP tags:"
    # The whole block of XMP would replace its fields, as of exiftool 13.
    return tuple((group, tag) for group, names in zip(_GROUPS, found, strict=True) for tag in names if tag != "XMP")


def _exiftool(*arguments: str) -> str:
    return subprocess.run(["exiftool", *arguments], capture_output=True, text=True, check=False).stdout
