"""Every small mistake that can be made in a source: compared, joined, counted wrong.

An operator at its boundary or turned round, `and` for `or`, a number one off, a `not` or a
wish left out, nothing returned, `min` for `max`. Text is left alone: words are looked at
by golden files.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
Undo = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Mistake:
    """`name` says where and what, without line numbers, so that it can be listed."""

    name: str
    line: int
    tree: ast.Module


def mistakes(source: str) -> Iterator[Mistake]:
    """One changed tree after the other. The tree is one and the same: use it at once."""
    tree, lines = ast.parse(source), source.splitlines()
    seen: dict[str, int] = {}
    for where, node in list(_walk(tree, "")):
        for said, do in _changes(node):
            undo = do()
            line = getattr(node, "lineno", 1)
            name = f"{where} | {lines[line - 1].strip()} | {said}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" #{seen[name]}"
            yield Mistake(name, line, tree)
            undo()


def _walk(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST]]:
    """Nodes that run, with the function they stand in; no annotations, no decorators."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST):
                continue
            inside = where
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inside = f"{where}.{child.name}".lstrip(".")
            yield inside, child
            yield from _walk(child, inside)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], Undo]]]:
    match node:
        case ast.Compare():
            for at, op in enumerate(node.ops):
                for other in COMPARED.get(type(op), ()):
                    said = f"{type(op).__name__} -> {other.__name__}"
                    yield said, _put(node.ops, at, other())
        case ast.BoolOp():
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield f"{type(node.op).__name__} turned", _set(node, "op", other_op)
        case ast.UnaryOp(op=ast.Not()):
            yield "not left out", _set(node, "operand", _negated(node.operand))
        case ast.Constant(value=bool() as value):
            yield f"{value} turned", _set(node, "value", not value)
        case ast.Constant(value=int() as value):
            yield f"{value} + 1", _set(node, "value", value + 1)
            yield f"{value} - 1", _set(node, "value", value - 1)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            sign = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield f"{type(node.op).__name__} turned", _set(node, "op", sign)
        case ast.Call(func=ast.Name(id=name) as called) if name in CALLED:
            yield f"{name} -> {CALLED[name]}", _set(called, "id", CALLED[name])
        case ast.Return(value=ast.AST() as value) if not _is_nothing(value):
            yield "returns None", _set(node, "value", ast.Constant(None))
        case ast.Expr(value=ast.Yield() | ast.YieldFrom() as wish):
            yield "left out", _set(wish, "value", _nothing_of(wish))
        case ast.Continue():
            yield "goes on", _becomes(node, ast.Pass)
        case ast.If() | ast.IfExp() if isinstance(
            node.test, ast.Name | ast.Attribute | ast.Call
        ):
            yield "condition turned", _set(node, "test", _negated(node.test))
        case _:
            return


def _is_nothing(value: ast.AST) -> bool:
    """`return False` is turned by itself; that it is no None, nobody asks."""
    return isinstance(value, ast.Constant) and not value.value


def _nothing_of(wish: ast.Yield | ast.YieldFrom) -> ast.expr:
    """For `yield from`: nothing. For `yield`: a wish nobody has (see `applied`)."""
    if isinstance(wish, ast.YieldFrom):
        return ast.Tuple([], ast.Load())
    return ast.Name("NOT_WISHED", ast.Load())


def _put(where: list[ast.cmpop], at: int, new: ast.cmpop) -> Callable[[], Undo]:
    def do() -> Undo:
        old, where[at] = where[at], new
        return lambda: where.__setitem__(at, old)

    return do


def _negated(test: ast.expr) -> ast.UnaryOp:
    return ast.UnaryOp(ast.Not(), test)


def _set(node: ast.AST, name: str, new: object) -> Callable[[], Undo]:
    def do() -> Undo:
        old = getattr(node, name)
        setattr(node, name, new)
        return lambda: setattr(node, name, old)

    return do


def _becomes(node: ast.AST, other: type[ast.AST]) -> Callable[[], Undo]:
    def do() -> Undo:
        old = node.__class__
        node.__class__ = other
        return lambda: setattr(node, "__class__", old)

    return do


class Unwished(ast.NodeTransformer):
    """`yield NOT_WISHED` becomes nothing at all; the function stays a generator."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A statement that is only a wish."""
        wish = node.value
        wished = wish.value if isinstance(wish, ast.Yield) else None
        if isinstance(wished, ast.Name) and wished.id == "NOT_WISHED":
            nothing = ast.YieldFrom(ast.Tuple([], ast.Load()))
            return ast.copy_location(ast.Expr(nothing), node)
        return node


def compiled(mistake: Mistake, path: str) -> CodeType:
    """The code of the changed module."""
    source = ast.unparse(ast.fix_missing_locations(mistake.tree))
    tree = Unwished().visit(ast.parse(source))
    made: CodeType = compile(ast.fix_missing_locations(tree), path, "exec")
    return made
