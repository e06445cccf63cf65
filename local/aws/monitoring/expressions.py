"""Metric math, as far as alarms here use it: arithmetic and comparisons of series, datapoint by datapoint.

Amazon CloudWatch User Guide, "Using math expressions with CloudWatch metrics". Functions (FILL, IF, SEARCH …) are not
emulated and refused by name.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence

Series = Sequence[float | None]

_OPERATIONS: dict[type[ast.operator] | type[ast.cmpop], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class Expression:
    """An expression over series by id. Raises ValueError for what is not emulated."""

    def __init__(self, text: str) -> None:
        try:
            self._root = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"the expression {text} is not emulated: {error}") from error
        self.names = frozenset(_names(self._root, text))
        """The ids it reads."""

    def over(self, series: Mapping[str, Series]) -> list[float | None]:
        """The expression's own datapoints. One is missing where one that it needs is, and where it divides by zero."""
        length = min(len(series[name]) for name in self.names)
        return [_value(self._root, {name: series[name][index] for name in self.names}) for index in range(length)]


def _names(node: ast.expr, text: str) -> list[str]:
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Constant(value=int() | float()):
            return []
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return [*_names(left, text), *_names(right, text)]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATIONS:
            return [*_names(left, text), *_names(right, text)]
    raise ValueError(f"in the expression {text}, {ast.unparse(node)} is not emulated")


def _value(node: ast.expr, values: Mapping[str, float | None]) -> float | None:
    match node:
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            pair = _value(left, values), _value(right, values)
            if pair[0] is None or pair[1] is None or (isinstance(op, ast.Div) and pair[1] == 0):
                return None
            return float(_OPERATIONS[type(op)](pair[0], pair[1]))
    raise AssertionError(ast.dump(node))
