"""A page for the browser, as self-contained HTML: it loads nothing and repeats nothing from the request."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Template
from typing import Final

from markupsafe import escape

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --paper: #fff; --back: #f3f5f7; --line: #dfe3e8;
  --good: #12805c; --bad: #b42318; --note: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --ink: #eef1f4; --soft: #a3adb8; --paper: #1c2127; --back: #12161a;
  --line: #313a43; --good: #4cc79a; --bad: #ff8a7d; --note: #e5b94f; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--back);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { width: 100%; max-width: 28rem; padding: 2.5rem 2.25rem 2rem; background: var(--paper); border-radius: 14px;
  border: 1px solid var(--line); box-shadow: 0 1px 2px rgb(0 0 0 / 4%), 0 12px 32px rgb(0 0 0 / 7%); }
svg { display: block; width: 3rem; height: 3rem; margin-bottom: 1.25rem; fill: none; stroke: currentColor;
  stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.good svg { color: var(--good); } .bad svg { color: var(--bad); } .note svg { color: var(--note); }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em; }
p { margin: 0 0 .75rem; overflow-wrap: anywhere; }
dl { margin: 1.25rem 0; padding: .85rem 0; border: solid var(--line); border-width: 1px 0; display: grid;
  grid-template-columns: auto 1fr; gap: .35rem 1.25rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 27rem) { main { padding: 2rem 1.5rem 1.5rem; } dl { grid-template-columns: 1fr; gap: 0; }
  dd + dt { margin-top: .5rem; } }
footer { margin-top: 1.5rem; color: var(--soft); font-size: .875rem; }
"""

_SCRIPT: Final = 'history.replaceState(null, "", location.pathname);'
"""Removes code and state from the address bar, so that a reload does not send them again."""

_ICONS: Final = {
    "good": '<path d="m7.5 12.5 3 3 6-7"/>',
    "bad": '<path d="m8.5 8.5 7 7m0-7-7 7"/>',
    "note": '<path d="M12 7v6m0 3.5v.01"/>',
}

_HTML: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<main class="$tone">
<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10.5"/>$icon</svg>
<h1>$title</h1>
$content
<footer>tokenctl authorize</footer>
</main>
<script>$script</script>
</body>
</html>
""")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every page."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page, in plain text that is escaped when it is rendered."""

    title: str
    paragraphs: tuple[str, ...]
    status: int = 200
    tone: str = "note"
    facts: Mapping[str, str] = field(default_factory=dict)

    def html(self) -> str:
        """Return the HTML document."""
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in self.facts.items())
        first, *rest = (f"<p>{escape(text)}</p>" for text in self.paragraphs)
        return _HTML.substitute(
            title=escape(self.title),
            tone=self.tone,
            icon=_ICONS[self.tone],
            content="\n".join([first, *([f"<dl>{facts}</dl>"] if facts else []), *rest]),
            style=_STYLE,
            script=_SCRIPT,
        )
