"""Reads what classes and their members say about themselves, for the pages that are made of it."""

import ast
import inspect
import re
import textwrap

_LABEL = re.compile(r"(What to do|Answer): ")


def about_members(kind: type) -> dict[str, str]:
    """Return the text below each member of a class by the member's value, a string; "" where there is none."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    values = {name: value for name, value in vars(kind).items() if isinstance(value, str) and not name.startswith("_")}
    texts = dict.fromkeys(values.values(), "")
    for member, below in zip(body.body, body.body[1:], strict=False):
        named = ast.unparse(member).partition("=")[0].partition(":")[0].strip()
        if isinstance(member, ast.Assign | ast.AnnAssign) and named in values and isinstance(below, ast.Expr):
            texts[values[named]] = " ".join(ast.literal_eval(below.value).split())
    return texts


def paragraphs(kind: type) -> dict[str, str]:
    """Return the paragraphs of a class's docstring by their labels, as in "What to do: sign in".

    Those without a label are joined under "". Those that begin with a name in double backquotes are about the code, and
    are left out.
    """
    found: dict[str, str] = {}
    for paragraph in inspect.cleandoc(kind.__doc__ or "").split("\n\n"):
        text = " ".join(paragraph.split())
        label = _LABEL.match(text)
        if text.startswith("``"):
            continue
        if label:
            found[label[1]] = text[label.end() :]
        else:
            found[""] = f"{found['']} {text}" if "" in found else text
    return found
