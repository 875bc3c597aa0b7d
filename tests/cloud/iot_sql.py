"""AWS IoT's SQL, as far as rules for a device's vital signs need it.

Follows the AWS IoT Core developer guide, "AWS IoT SQL reference" (SELECT, FROM and WHERE clauses, operators,
functions, substitution templates), version 2016-03-23. What is not known here is an error when the statement
is read: a statement that nobody tried is not to pass for one that works.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|'(?P<string>[^']*)'|"(?P<quoted>[^"]*)"|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<sign><>|<=|>=|[-+*/%(),.=<>]))"""
)
KEYWORDS = {"SELECT", "FROM", "WHERE", "AS", "AND", "OR", "NOT", "NULL", "TRUE", "FALSE"}
SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")


class SqlError(Exception):
    """A statement, an expression or a payload that AWS IoT would not take."""


class Undefined:
    """What is not there; JSON's null is something else."""

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


@dataclass(frozen=True)
class Message:
    """A publish as the rules engine sees it. The topic is without the prefix of Basic Ingest."""

    topic: str
    payload: bytes
    client_id: str
    arrived_millis: int

    def document(self) -> Any:
        """The payload. One that is no JSON as RFC 8259 has it is an error."""
        try:
            return json.loads(self.payload.decode("utf-8"), parse_float=Decimal, parse_constant=no_number)
        except ValueError as error:
            raise SqlError(f"the payload is no JSON: {error}") from error


def no_number(name: str) -> Any:
    """NaN and infinity are none of JSON's numbers."""
    raise ValueError(f"{name} is no number")


Expression = Callable[[Message, Any], Any]


@dataclass(frozen=True)
class Statement:
    """A rule's SQL."""

    select: Expression
    topic_filter: str | None
    where: Expression | None

    def apply(self, message: Message) -> Any:
        """What the actions are given; UNDEFINED where the message is none of the rule's business."""
        document = message.document()
        if self.where is not None and self.where(message, document) is not True:
            return UNDEFINED
        return self.select(message, document)


def parse(sql: str) -> Statement:
    """Reads a statement."""
    return Parser(sql).statement()


def substitute(template: str, message: Message) -> str:
    """Replaces each `${expression}`, evaluated on the original payload, never on what SELECT made of it.

    An expression without a value is an error: no parameter of an action may be half a text.
    """

    def replaced(match: re.Match[str]) -> str:
        parser = Parser(match[1])
        value = parser.whole_expression()(message, message.document())
        if value is UNDEFINED:
            raise SqlError(f"{match[0]} is undefined")
        return text_of(value)

    return SUBSTITUTION.sub(replaced, template)


def text_of(value: Any) -> str:
    """A value as it stands in a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    return to_json(value)


def to_json(value: Any) -> str:
    """JSON without blanks; a decimal keeps its digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(to_json(item) for item in value) + "]"
    return json.dumps(value)


def member(value: Any, key: str) -> Any:
    """A key of an object; of anything else, nothing."""
    return value.get(key, UNDEFINED) if isinstance(value, dict) else UNDEFINED


def number_of(value: Any) -> Decimal | None:
    """A number, or a text that is one, as the operators convert it."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def topic_part(message: Message, number: Any) -> Any:
    """`topic(n)`: the n-th part, from 1."""
    parts = message.topic.split("/")
    return parts[number - 1] if isinstance(number, int) and 1 <= number <= len(parts) else UNDEFINED


def floor(value: Any) -> Any:
    """Rounds down to a whole number."""
    number = number_of(value)
    return UNDEFINED if number is None else int(number.to_integral_value("ROUND_FLOOR"))


# Name and number of arguments.
FUNCTIONS: dict[tuple[str, int], Callable[..., Any]] = {
    ("topic", 0): lambda message: message.topic,
    ("topic", 1): topic_part,
    ("timestamp", 0): lambda message: message.arrived_millis,
    ("clientid", 0): lambda message: message.client_id,
    ("floor", 1): lambda _, value: floor(value),
    ("isnull", 1): lambda _, value: value is None,
    ("isundefined", 1): lambda _, value: value is UNDEFINED,
}


def arithmetic(sign: str, left: Any, right: Any) -> Any:
    """`+ - * / %` on numbers; with anything else, undefined."""
    one, other = number_of(left), number_of(right)
    if one is None or other is None or (sign in "/%" and other == 0):
        return UNDEFINED
    return {
        "+": lambda: one + other,
        "-": lambda: one - other,
        "*": lambda: one * other,
        "/": lambda: one / other,
        "%": lambda: one % other,
    }[sign]()


def comparison(sign: str, left: Any, right: Any) -> Any:
    """`= <> < <= > >=`; a number is compared with a number only."""
    if sign in ("=", "<>"):
        if left is UNDEFINED or right is UNDEFINED:
            return UNDEFINED
        return (left == right) is (sign == "=")
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        return UNDEFINED
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[sign]


class Parser:
    """Text into expressions, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = TOKEN.match(text, at)
            if match is None:
                raise SqlError(f"{text!r}: not understood from {text[at:]!r} on")
            kind = match.lastgroup or ""
            value = match[kind]
            if kind == "name" and value.upper() in KEYWORDS:
                kind, value = "keyword", value.upper()
            self.tokens.append((kind, value))
            at = match.end()
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, kind: str, *values: str) -> str | None:
        """The next token, if it is one of these."""
        found, value = self.peek()
        if found != kind or (values and value not in values):
            return None
        self.at += 1
        return value

    def need(self, kind: str, *values: str) -> str:
        value = self.take(kind, *values)
        if value is None:
            raise SqlError(f"{self.text!r}: {' or '.join(values) or kind} is missing before {self.peek()[1]!r}")
        return value

    def end(self) -> None:
        if self.peek()[0] != "end":
            raise SqlError(f"{self.text!r}: {self.peek()[1]!r} is too much")

    def statement(self) -> Statement:
        self.need("keyword", "SELECT")
        select = self.selection()
        topic_filter = self.need("string") if self.take("keyword", "FROM") else None
        where = self.disjunction() if self.take("keyword", "WHERE") else None
        self.end()
        return Statement(select, topic_filter, where)

    def whole_expression(self) -> Expression:
        expression = self.disjunction()
        self.end()
        return expression

    def selection(self) -> Expression:
        # Elsewhere it is a field's name like any other.
        after = self.tokens[self.at + 1 : self.at + 2]
        if self.peek()[1].upper() == "VALUE" and after and after[0] in (("sign", "*"), ("name", after[0][1])):
            self.need("name")
            return self.path()
        items = [self.item()]
        while self.take("sign", ","):
            items.append(self.item())

        def selected(message: Message, document: Any) -> Any:
            result: dict[str, Any] = {}
            for name, expression in items:
                value = expression(message, document)
                if name is None and len(items) == 1:
                    return value
                if name is None:
                    result |= value if isinstance(value, dict) else {}
                elif value is not UNDEFINED:
                    result[name] = value
            return result

        return selected

    def item(self) -> tuple[str | None, Expression]:
        if self.take("sign", "*"):
            return None, lambda _, document: document
        kind, name = self.peek()
        begin = self.at
        expression = self.disjunction()
        if self.take("keyword", "AS"):
            return self.need("name"), expression
        if kind != "name" or self.at != begin + 1:
            raise SqlError(f"{self.text!r}: an expression needs a name, with AS")
        return name, expression

    def path(self) -> Expression:
        """`*` or a field, and what lies in it: `*.batch`."""
        keys = [] if self.take("sign", "*") else [self.take("quoted") or self.need("name")]
        while self.take("sign", "."):
            keys.append(self.take("quoted") or self.need("name"))

        def found(_: Message, document: Any) -> Any:
            for key in keys:
                document = member(document, key)
            return document

        return found

    def disjunction(self) -> Expression:
        return self.chain(self.conjunction, "OR", lambda one, other: one is True or other is True)

    def conjunction(self) -> Expression:
        return self.chain(self.negation, "AND", lambda one, other: one is True and other is True)

    def chain(self, part: Callable[[], Expression], word: str, joined: Callable[[Any, Any], Any]) -> Expression:
        expression = part()
        while self.take("keyword", word):
            left, right = expression, part()
            expression = lambda m, d, left=left, right=right: joined(left(m, d), right(m, d))
        return expression

    def negation(self) -> Expression:
        if self.take("keyword", "NOT"):
            inner = self.negation()
            return lambda m, d: not value if isinstance(value := inner(m, d), bool) else UNDEFINED
        left = self.sum()
        sign = self.take("sign", "=", "<>", "<", "<=", ">", ">=")
        if sign is None:
            return left
        right = self.sum()
        return lambda m, d: comparison(sign, left(m, d), right(m, d))

    def sum(self) -> Expression:
        return self.operation(self.product, "+", "-")

    def product(self) -> Expression:
        return self.operation(self.atom, "*", "/", "%")

    def operation(self, part: Callable[[], Expression], *signs: str) -> Expression:
        expression = part()
        while sign := self.take("sign", *signs):
            left, right = expression, part()
            expression = lambda m, d, left=left, right=right, sign=sign: arithmetic(sign, left(m, d), right(m, d))
        return expression

    def atom(self) -> Expression:
        kind, value = self.peek()
        if kind == "number":
            self.at += 1
            number = Decimal(value) if "." in value else int(value)
            return lambda _, __: number
        if kind == "string":
            self.at += 1
            return lambda _, __: value
        if kind == "keyword" and value in ("NULL", "TRUE", "FALSE"):
            self.at += 1
            return lambda _, __: {"NULL": None, "TRUE": True, "FALSE": False}[value]
        if self.take("sign", "("):
            inner = self.disjunction()
            self.need("sign", ")")
            return inner
        if kind == "name" and self.tokens[self.at + 1 : self.at + 2] == [("sign", "(")]:
            return self.call()
        return self.path()

    def call(self) -> Expression:
        name = self.need("name")
        self.need("sign", "(")
        arguments: list[Expression] = []
        if not self.take("sign", ")"):
            arguments.append(self.disjunction())
            while self.take("sign", ","):
                arguments.append(self.disjunction())
            self.need("sign", ")")
        function = FUNCTIONS.get((name.lower(), len(arguments)))
        if function is None:
            raise SqlError(f"{self.text!r}: no function {name} of {len(arguments)} arguments")
        return lambda m, d: function(m, *(argument(m, d) for argument in arguments))
