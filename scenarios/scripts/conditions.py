"""Conditions: a small language over named state, read by a parser of its own; nothing is handed to Python.

    cash > 5m and not breaker        available.green_sleeve < 10% * nav        date >= 2028-03-31

Comparisons (< <= > >= == !=) of sums and products of numbers, joined by ``and``, ``or``, ``not`` and parentheses.
Numbers take the units of scenario files (25m, 75%, 275bp), dates are ISO dates, volatility states are compared by
their order (low < medium < high < extreme). A comparison with an undefined value (a ratio to zero) is false.
"""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from fundclock.scenarios.files.problems import closest

Kind = Literal["number", "truth", "date", "state"]
Values = Mapping[str, Any]
"""State by name: floats, booleans, dates, names of volatility states, or None where undefined."""

UNITS = {"": "1", "%": "0.01", "bp": "0.0001", "bps": "0.0001", "k": "1e3", "m": "1e6", "bn": "1e9"}
STATES = ("low", "medium", "high", "extreme")
NOUNS = {"number": "a number", "truth": "a condition", "date": "a date", "state": "a volatility state"}
"""What errors call each kind."""

MAX_LENGTH = 1000
MAX_DEPTH = 50

_TOKENS = re.compile(
    r"\s*(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"|(?P<number>(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?P<unit>%|[A-Za-z]+)?"
    r"|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)|(?P<sign><=|>=|==|!=|[-+*/()<>=]))"
)
_COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class ConditionError(ValueError):
    """A condition can't be read: what is wrong, at which character (from 1), and what was probably meant."""

    def __init__(self, message: str, place: int, suggestion: str | None = None) -> None:
        super().__init__(message, place, suggestion)
        self.message = f"{message} (character {place})"
        self.suggestion = suggestion

    def __str__(self) -> str:
        return self.message + (f"; did you mean '{self.suggestion}'?" if self.suggestion else "")


class _Node(NamedTuple):
    kind: Kind
    value: Callable[[Values], Any]


class _Token(NamedTuple):
    kind: str
    text: str
    place: int
    unit: str = ""


class Condition(NamedTuple):
    """A condition that was read: the state that it names, its dates, and whether it holds for given values.

    ``words`` are the same for texts that differ only in their spaces.
    """

    text: str
    words: tuple[str, ...]
    names: tuple[str, ...]
    dates: tuple[date, ...]
    holds: Callable[[Values], bool]


def read_condition(text: str, known: Mapping[str, Kind]) -> Condition:
    """Parse a condition over these names. Raises ConditionError."""
    if len(text) > MAX_LENGTH:
        raise ConditionError(f"is longer than {MAX_LENGTH} characters", MAX_LENGTH)
    tokens = _tokens(text)
    parser = _Parser(tokens, known)
    node = parser.either(0)
    rest = parser.token
    if rest.kind != "end":
        raise ConditionError(f"unexpected '{rest.text}'", rest.place, closest(rest.text.lower(), ("and", "or")))
    _expect(node, "truth", "expected a comparison like cash > 5m", 1)
    words = tuple(token.text + token.unit for token in tokens)
    return Condition(text, words, tuple(parser.names), tuple(parser.dates), node.value)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while text[place:].strip():
        match = _TOKENS.match(text, place)
        if match is None:
            at = place + len(text[place:]) - len(text[place:].lstrip())
            raise ConditionError(f"unexpected '{text[at]}'", at + 1)
        kind = match.lastgroup if match.lastgroup != "unit" else "number"
        assert kind is not None
        found.append(_Token(kind, match[kind], match.start(kind) + 1, match["unit"] or ""))
        place = match.end()
    return [*found, _Token("end", "the end", len(text) + 1)]


class _Parser:
    """Recursive descent, one method a level of precedence."""

    def __init__(self, tokens: list[_Token], known: Mapping[str, Kind]) -> None:
        self._tokens = tokens
        self._at = 0
        self._known = known
        self.names: dict[str, None] = {}
        self.dates: list[date] = []

    @property
    def token(self) -> _Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def _take(self, *texts: str) -> _Token | None:
        token = self.token
        if token.kind in ("name", "sign") and token.text in texts:
            self._at += 1
            return token
        return None

    def either(self, depth: int) -> _Node:
        """``a or b``."""
        if depth > MAX_DEPTH:
            raise ConditionError(f"has more than {MAX_DEPTH} levels of nesting", self.token.place)
        node = self._both(depth)
        while token := self._take("or"):
            node = _joined(node, self._both(depth), any, token)
        return node

    def _both(self, depth: int) -> _Node:
        node = self._negated(depth)
        while token := self._take("and"):
            node = _joined(node, self._negated(depth), all, token)
        return node

    def _negated(self, depth: int) -> _Node:
        token = self._take("not")
        if token is None:
            return self._compared(depth)
        if depth > MAX_DEPTH:
            raise ConditionError(f"has more than {MAX_DEPTH} levels of nesting", token.place)
        inner = self._negated(depth + 1)
        _expect(inner, "truth", "'not' needs a condition", token.place)
        return _Node("truth", lambda values: not inner.value(values))

    def _compared(self, depth: int) -> _Node:
        left = self._sum(depth)
        token = self._take(*_COMPARISONS, "=")
        if token is None:
            return left
        if token.text == "=":
            raise ConditionError("use == to compare, not =", token.place)
        right = self._sum(depth)
        if left.kind != right.kind:
            raise ConditionError(f"can't compare {NOUNS[left.kind]} with {NOUNS[right.kind]}", token.place)
        if left.kind == "truth" and token.text not in ("==", "!="):
            raise ConditionError(f"'{token.text}' compares numbers, dates or volatility states", token.place)
        if self.token.text in _COMPARISONS:
            raise ConditionError("comparisons can't be chained; join them with 'and'", self.token.place)
        ordered = STATES.index if left.kind == "state" else _as_it_is
        compare = _COMPARISONS[token.text]

        def holds(values: Values) -> bool:
            a, b = left.value(values), right.value(values)
            return a is not None and b is not None and bool(compare(ordered(a), ordered(b)))

        return _Node("truth", holds)

    def _sum(self, depth: int) -> _Node:
        node = self._product(depth)
        while token := self._take("+", "-"):
            node = _calculated(node, self._product(depth), token)
        return node

    def _product(self, depth: int) -> _Node:
        node = self._signed(depth)
        while token := self._take("*", "/"):
            node = _calculated(node, self._signed(depth), token)
        return node

    def _signed(self, depth: int) -> _Node:
        token = self._take("-")
        if token is None:
            return self._atom(depth)
        if depth > MAX_DEPTH:
            raise ConditionError(f"has more than {MAX_DEPTH} levels of nesting", token.place)
        return _calculated(_Node("number", lambda _values: 0.0), self._signed(depth + 1), token)

    def _atom(self, depth: int) -> _Node:
        token = self.token
        if self._take("("):
            node = self.either(depth + 1)
            if self._take(")") is None:
                raise ConditionError(f"expected ), got {self.token.text}", self.token.place)
            return node
        if token.kind in ("sign", "end") or token.text in ("and", "or", "not"):
            raise ConditionError(f"expected a name or a number, got {token.text}", token.place)
        self._at += 1
        match token.kind:
            case "date":
                return self._date(token)
            case "number":
                return _number(token)
            case _:
                return self._name(token)

    def _date(self, token: _Token) -> _Node:
        try:
            when = date.fromisoformat(token.text)
        except ValueError:
            raise ConditionError(f"expected a date like 2028-03-31, got {token.text}", token.place) from None
        self.dates.append(when)
        return _Node("date", lambda _values: when)

    def _name(self, token: _Token) -> _Node:
        name = token.text
        if name in ("true", "false"):
            return _Node("truth", lambda _values: name == "true")
        if name in STATES:
            return _Node("state", lambda _values: name)
        if name not in self._known:
            hint = closest(name, [*self._known, *STATES, "true", "false", "not"])
            allowed = "" if hint else f"; allowed: {', '.join(self._known)}"
            raise ConditionError(f"unknown name '{name}'{allowed}", token.place, hint)
        self.names[name] = None
        return _Node(self._known[name], lambda values: values[name])


def _as_it_is(value: Any) -> Any:
    return value


def _number(token: _Token) -> _Node:
    unit = token.unit.lower()
    if unit not in UNITS:
        allowed = ", ".join(name for name in UNITS if name)
        raise ConditionError(f"unknown unit '{token.unit}'; allowed: {allowed}", token.place)
    value = float(Decimal(token.text.replace("_", "")) * Decimal(UNITS[unit]))
    return _Node("number", lambda _values: value)


def _joined(left: _Node, right: _Node, join: Callable[[Any], bool], token: _Token) -> _Node:
    for node in (left, right):
        _expect(node, "truth", f"'{token.text}' joins conditions", token.place)
    return _Node("truth", lambda values: join(node.value(values) for node in (left, right)))


def _calculated(left: _Node, right: _Node, token: _Token) -> _Node:
    for node in (left, right):
        _expect(node, "number", f"'{token.text}' needs numbers", token.place)
    calculate = _ARITHMETIC[token.text]

    def value(values: Values) -> float | None:
        a, b = left.value(values), right.value(values)
        if a is None or b is None or (token.text == "/" and b == 0):
            return None
        result: float = calculate(a, b)
        return result

    return _Node("number", value)


def _expect(node: _Node, kind: Kind, message: str, place: int) -> None:
    if node.kind != kind:
        raise ConditionError(f"{message}; got {NOUNS[node.kind]}", place)
