"""The SQL of rules, by the examples of AWS's own reference and what lies beside them."""

import unittest
from decimal import Decimal

from iot_sql import UNDEFINED, Message, SqlError, parse, substitute
from rules import topic_matches


def message(payload: str, topic: str = "pivitals/pi-7/metrics") -> Message:
    return Message(topic, payload.encode(), "pi-7", 1_795_640_000_123)


def applied(sql: str, payload: str, topic: str = "pivitals/pi-7/metrics"):
    return parse(sql).apply(message(payload, topic))


class Select(unittest.TestCase):
    def test_a_star_is_the_whole_payload(self):
        self.assertEqual(
            applied("SELECT * FROM 'a/b'", '{"a": 1.50, "b": [null]}'), {"a": Decimal("1.50"), "b": [None]}
        )

    def test_a_value_is_what_lies_in_the_payload_and_nothing_around_it(self):
        self.assertEqual(applied("SELECT VALUE *.batch FROM 'x'", '{"batch": [1, 2]}'), [1, 2])
        self.assertIs(applied("SELECT VALUE *.batch FROM 'x'", '{"bach": [1, 2]}'), UNDEFINED)

    def test_fields_have_their_own_names_or_others(self):
        sql = (
            "SELECT color AS rgb, a.b AS c, topic(2) AS device, timestamp() AS t, clientid() AS id, missing FROM '#'"
        )
        selected = applied(sql, '{"color": "red", "a": {"b": 3}}')
        self.assertEqual(selected, {"rgb": "red", "c": 3, "device": "pi-7", "t": 1_795_640_000_123, "id": "pi-7"})

    def test_numbers_are_calculated_with_and_rounded_down(self):
        self.assertEqual(
            applied("SELECT floor(a / 1000) AS s FROM 'x'", '{"a": 1795640000123}'), {"s": 1_795_640_000}
        )
        self.assertEqual(applied("SELECT floor(0 - 1.5) AS s, 2 + 3 * 4 AS p FROM 'x'", "{}"), {"s": -2, "p": 14})
        self.assertEqual(applied("SELECT a / 0 AS s FROM 'x'", '{"a": 1}'), {})

    def test_a_condition_decides(self):
        for condition, expected in [
            ("a > 1", True),
            ("a > 2", False),
            ("a <> null", True),
            ("b <> null", False),
            ("isUndefined(c) AND NOT isNull(a)", True),
            ("c > 1 OR a = 2", True),
            ("c > 1", False),
        ]:
            selected = applied(f"SELECT * FROM 'x' WHERE {condition}", '{"a": 2, "b": null}')
            self.assertEqual(selected is not UNDEFINED, expected, condition)

    def test_what_is_no_json_is_an_error(self):
        for payload in ["", "{", '{"a": NaN}', '{"a": Infinity}', "{'a': 1}", '{"a": 1} x']:
            with self.assertRaises(SqlError, msg=payload):
                applied("SELECT * FROM 'x'", payload)

    def test_a_statement_that_is_not_understood_is_an_error_when_it_is_read(self):
        for sql in [
            "SELECT",
            "SELECT FROM 'a'",
            "SELECT * FROM a",
            "SELECT * FROM 'a' LIMIT 3",
            "SELECT topic(1) FROM 'a'",
            "SELECT now() AS n FROM 'a'",
            "SELECT topic(1, 2) AS n FROM 'a'",
            "SELECT a b FROM 'a'",
            "UPDATE x",
            "SELECT a FROM 'a' WHERE ^",
        ]:
            with self.assertRaises(SqlError, msg=sql):
                parse(sql)


class Substitution(unittest.TestCase):
    def test_expressions_are_evaluated_on_the_payload_as_it_came(self):
        given = message('{"name": "cpu usage (pi-7)", "value": 12.30, "n": {"a": true}}')
        self.assertEqual(substitute("${name}", given), "cpu usage (pi-7)")
        self.assertEqual(substitute("${topic(2)}: ${value}%", given), "pi-7: 12.30%")
        self.assertEqual(substitute("${floor(timestamp() / 1000)}", given), "1795640000")
        self.assertEqual(substitute("${n}", given), '{"a":true}')
        self.assertEqual(substitute("no $ and no {}", given), "no $ and no {}")

    def test_what_is_not_there_is_an_error(self):
        for template in ["${missing}", "${topic(4)}", "${topic(0)}", "${name.x}", "${}", "${f(1)}"]:
            with self.assertRaises(SqlError, msg=template):
                substitute(template, message('{"name": "x"}'))


class Filter(unittest.TestCase):
    def test_wildcards_are_those_of_mqtt(self):
        for topic_filter, topic, expected in [
            ("a/b", "a/b", True),
            ("a/b", "a/b/c", False),
            ("a/+/c", "a/b/c", True),
            ("a/+", "a/b/c", False),
            ("a/+", "a/", True),
            ("a/#", "a/b/c", True),
            ("a/#", "a", True),
            ("#", "a/b", True),
            ("+/b", "a/b", True),
            ("#", "$aws/x", False),
            ("+/x", "$aws/x", False),
            ("$aws/#", "$aws/x", True),
            ("a/b/c", "a/b", False),
        ]:
            self.assertEqual(topic_matches(topic_filter, topic), expected, (topic_filter, topic))
