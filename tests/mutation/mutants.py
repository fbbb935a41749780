"""Small mistakes in a Python source: one edit each, found in its syntax tree."""

import ast
import difflib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mutant", "mutants_of", "package_mutants"]

Edit = tuple[str, ast.AST, str]
"""Kind of mistake, the node it replaces, and the text it puts there."""


@dataclass(frozen=True)
class Mutant:
    """One edit of the file at ``path``, relative to the root; ``line`` counts from 1."""

    path: Path
    line: int
    kind: str
    before: str
    after: str

    def diff(self) -> str:
        """The edit as a unified diff."""
        before, after = (text.splitlines(keepends=True) for text in (self.before, self.after))
        return "".join(difflib.unified_diff(before, after, str(self.path), str(self.path), n=2))


def package_mutants(root: Path, package: str) -> list[Mutant]:
    """All mutants of ``emulator/PACKAGE``, in the order of files and lines."""
    files = sorted((root / "emulator" / package).rglob("*.py"))
    return [
        mutant
        for file in files
        for mutant in mutants_of(file.read_text(encoding="utf-8"), file.relative_to(root))
    ]


def mutants_of(source: str, path: Path) -> list[Mutant]:
    """All mutants of a source that compile and differ from it and from one another."""
    tree, seen, found = ast.parse(source), {source}, []
    for kind, node, text in _edits(tree):
        after = _replaced(source, node, text)
        if after not in seen and _compiles(after):
            seen.add(after)
            found.append(Mutant(path, node.lineno, kind, source, after))  # type: ignore[attr-defined]
    return sorted(found, key=lambda mutant: mutant.line)


def _replaced(source: str, node: ast.AST, text: str) -> str:
    # a column of the tree counts bytes
    lines = source.encode().splitlines(keepends=True)
    where: list[int] = [
        sum(map(len, lines[: line - 1])) + column
        for line, column in (
            (node.lineno, node.col_offset),  # type: ignore[attr-defined]
            (node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )
    ]
    whole = b"".join(lines)
    return (whole[: where[0]] + text.encode() + whole[where[1] :]).decode()


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


# -- where mistakes are made -----------------------------------------------------------------

_UNTOUCHED_KEYWORDS = {"slots", "frozen", "kw_only", "strict", "repr", "eq", "stacklevel"}
"""Keywords that change nothing a test could see, or only what would be a mistake anyway."""

_UNTOUCHED_NAMES = {"__all__", "__slots__"}


def _sites(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below ``node`` that is part of what the code does.

    Left out are annotations, decorators, imports, what only a type checker sees, the texts of
    errors, and f-strings, inside which Python 3.11 does not know its columns.
    """
    for child in _inner(node):
        if not _untouched(child):
            yield child
            yield from _sites(child)


def _inner(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from (*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body)
        case ast.ClassDef():
            yield from node.body
        case ast.AnnAssign():
            yield from filter(None, (node.value,))
        case ast.Raise() | ast.JoinedStr():
            return
        case _:
            yield from ast.iter_child_nodes(node)


def _untouched(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
        case ast.keyword(arg=str(name)):
            return name in _UNTOUCHED_KEYWORDS
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name in _UNTOUCHED_NAMES
    return False


def _edits(tree: ast.AST) -> Iterator[Edit]:
    for node in _sites(tree):
        yield from _comparisons(node)
        yield from _operators(node)
        yield from _conditions(node)
        yield from _constants(node)
        yield from _calls(node)
        yield from _drops(node)


# -- which mistakes are made -----------------------------------------------------------------

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}

_SYMMETRIC = {"min", "max", "minimum", "maximum", "gcd", "lcm", "array_equal", "isclose"}
"""Functions for which the order of two arguments makes no difference."""


def _comparisons(node: ast.AST) -> Iterator[Edit]:
    """``<`` for ``<=``, ``==`` for ``!=``, and so on."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changed = deepcopy(node)
            changed.ops[place] = _COMPARISONS[type(operator)]()
            yield "comparison flipped", node, _text(changed)


def _operators(node: ast.AST) -> Iterator[Edit]:
    """``-`` for ``+``, ``or`` for ``and``, and so on."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        changed = deepcopy(node)
        changed.op = _OPERATORS[type(node.op)]()
        text = ast.unparse(changed) if isinstance(node, ast.AugAssign) else _text(changed)
        yield "operator swapped", node, text
    if isinstance(node, ast.BoolOp):
        other = deepcopy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "operator swapped", node, _text(other)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
        yield "operator dropped", node, _text(node.operand)


def _conditions(node: ast.AST) -> Iterator[Edit]:
    """A condition that is negated, or no longer is; a comparison has its own mistakes."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "negation dropped", node, _text(node.operand)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        test = node.test
        if not isinstance(test, ast.Compare | ast.UnaryOp):
            yield "condition negated", test, _text(ast.UnaryOp(ast.Not(), test))


def _constants(node: ast.AST) -> Iterator[Edit]:
    """A number one too large or too small, a truth value turned over."""
    match node:
        case ast.Constant(value=bool(value)):
            yield "constant changed", node, str(not value)
        case ast.Constant(value=int(number)):
            yield "constant changed", node, str(number + 1)
            yield "constant changed", node, f"({number - 1})" if number < 1 else str(number - 1)
        case ast.Constant(value=float(number)):
            yield "constant changed", node, repr(2 * number if number else 1.0)


def _calls(node: ast.AST) -> Iterator[Edit]:
    """Two arguments swapped; a smallest or largest of several that is any of them."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return
    name = ast.unparse(node.func).rpartition(".")[2]
    if name in {"min", "max", "minimum", "maximum"} and not node.keywords:
        for argument in node.args:
            yield f"{name} removed", node, _text(argument)
    if name not in _SYMMETRIC:
        changed = deepcopy(node)
        changed.args[:2] = reversed(changed.args[:2])
        yield "arguments swapped", node, ast.unparse(changed)


def _drops(node: ast.AST) -> Iterator[Edit]:
    """A statement left out, unless a name would be missing without it."""
    match node:
        case ast.Expr(ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield "statement dropped", node, "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "statement dropped", node, "pass"
        case ast.Continue() | ast.Break() | ast.Return(value=None):
            yield "statement dropped", node, "pass"


def _text(node: ast.AST) -> str:
    """An expression that binds as one, whatever stands around it."""
    text = ast.unparse(ast.fix_missing_locations(node))
    plain = isinstance(node, ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript)
    return text if plain else f"({text})"
