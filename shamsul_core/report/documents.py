"""The chapters as one HTML file that needs nothing beside it, and as a PDF for print."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Image as PdfImage
from reportlab.platypus import KeepTogether, PageBreak, Paragraph, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import LongTable as PdfTable

from shamsul_core.report.chapter import Table, Words
from shamsul_core.run.wording import RESEARCH_ONLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawing as it stands in a document: its caption, and its picture as JPEG or PNG, whichever is smaller."""

    caption: str
    picture: bytes
    kind: str


DocumentBlock: TypeAlias = Words | Table | Drawn


@dataclass(frozen=True, eq=False)
class DocumentChapter:
    """A chapter with its drawings drawn."""

    title: str
    blocks: tuple[DocumentBlock, ...]


_FONT = "DejaVuSans"
_QUALITY = 88
_WIDEST_PX = 1800
_TEXT = ParagraphStyle("text", fontName=_FONT, fontSize=8.5, leading=12, spaceAfter=6)
_CAPTION = ParagraphStyle(
    "caption", parent=_TEXT, fontSize=7.5, leading=10, textColor=colors.HexColor("#333333")
)
_CELL = ParagraphStyle("cell", parent=_TEXT, fontSize=6.5, leading=8, spaceAfter=0)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName=f"{_FONT}-Bold")
_TITLE = ParagraphStyle(
    "title", parent=_TEXT, fontName=f"{_FONT}-Bold", fontSize=19, leading=25, spaceAfter=8
)
_CHAPTER = ParagraphStyle(
    "chapter", parent=_TITLE, fontSize=13, leading=18, spaceBefore=10, keepWithNext=True
)


def draw(caption: str, png: bytes) -> Drawn:
    """Return a drawing for the documents: narrowed to what they can show, and as JPEG where it holds photographs."""
    with Image.open(BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    if picture.width > _WIDEST_PX:
        height = round(picture.height * _WIDEST_PX / picture.width)
        picture = picture.resize((_WIDEST_PX, height), Image.Resampling.LANCZOS)
    encoded = {}
    for kind in ("png", "jpeg"):
        file = BytesIO()
        picture.save(file, kind, optimize=True, quality=_QUALITY)
        encoded[kind] = file.getvalue()
    kind = min(encoded, key=lambda file_kind: len(encoded[file_kind]))
    return Drawn(caption, encoded[kind], kind)


def as_html(title: str, notes: Sequence[str], chapters: Sequence[DocumentChapter]) -> bytes:
    """Return the chapters as HTML with its pictures inside.

    Parameters
    ----------
    notes
        What a reader must know first, such as that the radiographs are simulated.
    """
    environment = Environment(
        loader=PackageLoader("shamsul_core.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.tests |= {name: _is(kind) for name, kind in {"words": Words, "table": Table}.items()}
    environment.filters["base64"] = lambda content: b64encode(content).decode()
    template = environment.get_template("template.html")
    return template.render(title=title, notes=[*notes, RESEARCH_ONLY], chapters=chapters).encode()


def as_pdf(title: str, notes: Sequence[str], chapters: Sequence[DocumentChapter]) -> bytes:
    """Return the chapters as a PDF on A4, each page with its number and that it is for research only."""
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in (_FONT, f"{_FONT}-Bold"):
        registerFont(TTFont(name, str(fonts / f"{name}.ttf")))
    registerFontFamily(_FONT, normal=_FONT, bold=f"{_FONT}-Bold")
    file = BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=1.8 * cm,
        rightMargin=1.8 * cm,
        topMargin=1.6 * cm,
        bottomMargin=1.8 * cm,
        title=title,
        invariant=1,  # neither today's date nor a random id
    )
    story: list[Flowable] = [Paragraph(escape(title), _TITLE)]
    story += [Paragraph(escape(note), _TEXT) for note in [*notes, RESEARCH_ONLY]]
    for number, chapter in enumerate(chapters, start=1):
        if number > 1:
            story.append(PageBreak())
        story.append(Paragraph(escape(f"{number}. {chapter.title}"), _CHAPTER))
        for block in chapter.blocks:
            story += _flowables(block, document.width, document.height - 4 * cm)
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return file.getvalue()


def _flowables(block: DocumentBlock, width: float, height: float) -> list[Flowable]:
    if isinstance(block, Words):
        return [Paragraph(escape(block.text), _TEXT)]
    caption = Paragraph(escape(block.caption), _CAPTION)
    if isinstance(block, Table):
        return [caption, _table(block, width), Spacer(0, 0.5 * cm)]
    with Image.open(BytesIO(block.picture)) as picture:
        ratio = picture.height / picture.width
    wide = min(width, height / ratio)
    return [
        KeepTogether([PdfImage(BytesIO(block.picture), wide, wide * ratio), caption]),
        Spacer(0, 0.4 * cm),
    ]


def _table(table: Table, width: float) -> Flowable:
    """Return a table whose columns are as wide as their longest word or share of text asks for; a row may go over pages."""
    head, rows = table.cells
    lengths = [
        max(4, 1.3 * max(map(len, title.split())), *(min(34, len(text)) for text in column))
        for title, *column in zip(head, *rows[:200], strict=True)
    ]
    scale = width / sum(lengths)
    content = [[Paragraph(escape(text), _HEAD) for text in head]]
    content += [[Paragraph(escape(text), _CELL) for text in row] for row in rows]
    made = PdfTable(content, colWidths=[scale * length for length in lengths], repeatRows=1, splitInRow=1)
    made.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, colors.black),
                ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.HexColor("#cccccc")),
                ("TOPPADDING", (0, 0), (-1, -1), 1.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made


def _footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.saveState()
    canvas.setFont(_FONT, 7)
    canvas.drawString(document.leftMargin, 1 * cm, RESEARCH_ONLY)
    canvas.drawRightString(A4[0] - document.rightMargin, 1 * cm, str(document.page))
    canvas.restoreState()


def _is(kind: type) -> Any:
    return lambda block: isinstance(block, kind)
