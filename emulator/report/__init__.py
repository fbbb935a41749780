"""Documents made from results: an HTML report, terminal tables and Perfetto timelines."""

from typing import TYPE_CHECKING

from emulator.lazy import attributes

if TYPE_CHECKING:
    from emulator.report.comparison import print_comparison
    from emulator.report.html import render_html
    from emulator.report.perfetto import write_perfetto
    from emulator.report.terminal import print_result

__all__ = ["print_comparison", "print_result", "render_html", "write_perfetto"]

__getattr__ = attributes(
    __name__,
    {
        "print_comparison": "comparison",
        "print_result": "terminal",
        "render_html": "html",
        "write_perfetto": "perfetto",
    },
)
