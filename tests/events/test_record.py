import hashlib
import json

import pytest
from pydantic import TypeAdapter, ValidationError

from fundclock.events.commands import AnyCommand, CollectRecovery, ReinvestProceeds
from fundclock.events.facts import FACTS, CommandScheduled, LoanExited, ProceedsReleased, parse_fact
from fundclock.events.phases import PHASES, Phase
from fundclock.events.record import FIRST_HASH, Record, chain

FACT = ProceedsReleased(lot=3, amount_cents=1250)
RECORD = Record(seq=9, day=40, phase="reinvestment", kind=FACT.kind, cause=4, correlation=2, payload=FACT)


def test_the_canonical_line_is_json_in_declared_order_without_spaces():
    assert RECORD.line() == (
        b'{"seq":9,"day":40,"phase":"reinvestment","kind":"proceeds.released/1","cause":4,"correlation":2,'
        b'"payload":{"kind":"proceeds.released/1","lot":3,"amount_cents":1250}}'
    )
    root = RECORD._replace(cause=None)
    assert json.loads(root.line())["cause"] is None


def test_the_chain_covers_the_line_and_the_hash_before_it():
    assert chain(FIRST_HASH, b"x") == hashlib.sha256(b"0" * 64 + b"x").hexdigest()
    assert chain(chain(FIRST_HASH, b"x"), b"y") != chain(chain(FIRST_HASH, b"y"), b"x")


def test_wire_names_are_nouns_participles_and_versions():
    for name, fact in FACTS.items():
        noun, _, rest = name.partition(".")
        verb, _, number = rest.partition("/")
        assert noun.replace("_", "").isalpha(), name
        assert verb.replace("_", "").isalpha(), name
        assert number == "1"
        assert fact.model_fields["kind"].default == name


def test_facts_and_commands_are_frozen_and_take_no_unknown_field():
    with pytest.raises(ValidationError):
        FACT.lot = 4
    with pytest.raises(ValidationError):
        ProceedsReleased(lot=3, amount_cents=1, extra=2)
    with pytest.raises(AttributeError):
        RECORD.seq = 10


def test_a_payload_reads_by_attribute_and_by_name():
    assert FACT.lot == FACT["lot"] == 3
    assert dict(FACT)["amount_cents"] == 1250
    with pytest.raises(KeyError, match="has no field 'loan'"):
        FACT["loan"]


def test_a_command_inside_a_promise_keeps_its_kind():
    promise = CommandScheduled(due_day=31, command=ReinvestProceeds(lot=3, source="exit", amount_cents=5))
    back = parse_fact(promise.kind, promise.to_json())
    assert back == promise
    assert isinstance(back, CommandScheduled)
    assert isinstance(back.command, ReinvestProceeds)
    read = TypeAdapter(AnyCommand).validate_python({"kind": "recovery.collect/1", "loan_id": "green-00001"})
    assert read == CollectRecovery(loan_id="green-00001")


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        ("loan.vanished/1", "{}", "unknown kind"),
        ("proceeds.released/1", '{"kind":"proceeds.released/1","lot":3}', "amount_cents"),
        ("proceeds.released/1", '{"kind":"loan.exited/1","lot":3,"amount_cents":1}', "kind"),
        ("proceeds.released/1", "{", "invalid payload of proceeds.released/1"),
    ],
)
def test_a_payload_that_does_not_fit_is_refused(kind, payload, says):
    with pytest.raises(ValueError, match=says):
        parse_fact(kind, payload)


def test_numbers_that_are_not_finite_are_no_facts():
    with pytest.raises(ValueError, match="finite"):
        parse_fact("rate.shocked/1", '{"kind":"rate.shocked/1","change":NaN}')


def test_phases_come_in_the_order_of_the_table():
    assert PHASES == (
        "market", "accrual", "exits", "receipts", "debt_service", "fees", "tests", "cure", "notices", "rebalance",
        "reinvestment", "originations", "distributions", "report",
    )  # fmt: skip
    assert list(Phase) == sorted(Phase)


def test_exits_carry_what_makes_up_the_proceeds():
    assert set(LoanExited.model_fields) >= {
        "loan_id",
        "proceeds_cents",
        "principal_cents",
        "interest_cents",
        "gain_cents",
    }
