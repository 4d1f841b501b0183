"""What cannot be described is refused, with where, what and what to do."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conftest import Pair, domain, system
from ferry_sdfgen import CheckError, Ferry, FerryError, ProgramError, Tick, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def refused(call: Callable[[], object]) -> str:
    """What a call that is refused says."""
    with pytest.raises(UsageError) as caught:
        call()
    error = caught.value
    assert isinstance(error, FerryError)
    assert isinstance(error, ValueError)
    assert str(error) == f"{error.where}: {error.problem}; {error.remedy}"
    return str(error)


def test_a_client_is_added_once(pair: Pair) -> None:
    for made in (pair.alice.domain, domain("alice")):
        assert refused(partial(pair.ferry.add_client, made)) == (
            "Ferry.add_client(alice): it is a client already; keep what the first call returned"
        )


@pytest.mark.parametrize("name", ["central", "ticker"])
def test_names_of_ferry_are_no_clients(pair: Pair, name: str) -> None:
    said = refused(lambda: pair.ferry.add_client(domain(name)))
    assert said == f"Ferry.add_client({name}): the name `{name}` belongs to Ferry; choose another name"


def test_a_client_is_a_protection_domain(pair: Pair) -> None:
    client: Any = "carol"
    assert refused(lambda: pair.ferry.add_client(client)) == (
        "Ferry.add_client: 'carol' is no protection domain; give a `SystemDescription.ProtectionDomain`"
    )


@pytest.mark.parametrize("size", [-1, 1 << 64])
def test_numbers_that_sdfgen_would_cut_are_refused(pair: Pair, size: int) -> None:
    assert refused(lambda: pair.ferry.add_client(domain("carol"), receive_bytes=size)) == (
        f"Ferry.add_client(carol): receive_bytes is {size}; give a whole number from 0 to {(1 << 64) - 1}"
    )
    assert refused(lambda: Ferry(system(), priority=456)) == (
        "Ferry: priority is 456; give a whole number from 0 to 255"
    )
    assert refused(lambda: Ferry(system(), tick=Tick(period_us=1 << 32))) == (
        "Ferry: tick.period_us is 4294967296; give a whole number from 0 to 4294967295"
    )


def test_a_client_without_a_free_number_is_refused_and_the_process_goes_on(pair: Pair) -> None:
    crowded = domain("carol")
    for number in range(62):
        crowded.add_irq(type(pair.sdf).IrqConventional(40 + number))
    assert refused(lambda: pair.ferry.add_client(crowded)) == (
        "Ferry.add_client(carol): sdfgen cannot connect it to central: failed to create channel; give up one "
        "of its channels or interrupts; a protection domain has numbers for 62"
    )
    gc.collect()
    assert "carol" not in pair.ferry.render().system


def test_a_flow_has_two_clients_of_the_system(pair: Pair) -> None:
    assert refused(lambda: pair.ferry.add_flow(pair.alice, pair.alice)) == (
        "Ferry.add_flow(alice, alice): a client reaches its own memory without central; give two different "
        "clients"
    )
    assert refused(lambda: pair.ferry.add_flow(pair.alice, pair.bob)) == (
        "Ferry.add_flow(alice, bob): there is this flow already; remove one of the two calls"
    )
    stranger = Ferry(system()).add_client(domain("alice"))
    not_a_client: Any = "bob"
    for end in (stranger, not_a_client):
        said = refused(partial(pair.ferry.add_flow, pair.bob, end))
        assert said == f"Ferry.add_flow: {end!r} is no client of this system; give what `add_client` returned"


def test_policies_of_a_flow_are_words(pair: Pair) -> None:
    word: Any = "urgant"
    assert refused(lambda: pair.ferry.add_flow(pair.bob, pair.alice, flow_class=word)) == (
        'Ferry.add_flow(bob, alice): flow_class is \'urgant\'; give "normal" or "urgent", or leave it out'
    )
    assert refused(lambda: pair.ferry.add_flow(pair.bob, pair.alice, mapping=word)) == (
        'Ferry.add_flow(bob, alice): mapping is \'urgant\'; give "each" or "keep", or leave it out'
    )


def test_a_client_must_be_in_the_system(pair: Pair) -> None:
    pair.ferry.add_client(domain("carol"))
    assert refused(pair.ferry.render) == (
        "Ferry.render: the client `carol` is not in the system; add it with `sdf.add_pd`, or as a child of a "
        "protection domain that is there"
    )
    # What sdfgen has rendered cannot be mended.
    assert refused(pair.ferry.render).startswith("Ferry.render: the system was rendered, ")


def test_a_system_that_was_rendered_before_is_noticed(pair: Pair) -> None:
    pair.sdf.render()
    assert refused(pair.ferry.render) == (
        "Ferry.render: the system was rendered before it was complete: `ferry_config` is missing; remove "
        "what calls `render()` of the system before; sdfgen renders a system only once"
    )


def test_after_rendering_nothing_is_added(pair: Pair) -> None:
    assert pair.ferry.render() is pair.ferry.render()
    for call in (
        lambda: pair.ferry.add_client(domain("carol")),
        lambda: pair.ferry.add_flow(pair.bob, pair.alice),
        lambda: pair.ferry.trust_domain(pair.ferry.central, reason="none"),
        lambda: pair.ferry.trust_device("uart", reason="none"),
        lambda: pair.ferry.set_restarts(pair.ferry.central, 1),
    ):
        assert (
            "the system was rendered, and sdfgen renders a system only once; add everything before"
            in refused(call)
        )


def test_rules_are_those_of_ferry_check_and_nothing_is_written(
    pair: Pair, program: str, tmp_path: Path
) -> None:
    pair.sdf.add_channel(type(pair.sdf).Channel(pair.alice.domain, pair.bob.domain))
    pair.ferry.add_flow(pair.bob, pair.alice, max_message="1 GiB")
    with pytest.raises(CheckError) as caught:
        pair.ferry.write(tmp_path, program=program)
    rules = {mistake.rule: mistake for mistake in caught.value.mistakes}
    assert set(rules) == {"connected_clients", "long_message"}
    assert rules["connected_clients"].file == "system.xml"
    assert rules["connected_clients"].text == "<channel>"
    assert rules["long_message"].file == "flows.toml"
    assert "system.xml:" in str(caught.value)
    assert "remove it and list a flow from `alice` to `bob`" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_the_command_line_nothing_is_written(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(ProgramError) as caught:
        pair.ferry.write(tmp_path, program="no-such-ferry")
    assert str(caught.value) == (
        "`no-such-ferry` cannot be started: No such file or directory; run `cargo install "
        "--locked --path ferry` in Ferry's sources, or give its path"
    )
    with pytest.raises(ProgramError, match=r"`false` ended with 1 and without a report .* it said: nothing"):
        pair.ferry.write(tmp_path, program="false")
    assert list(tmp_path.iterdir()) == []
    pair.ferry.write(tmp_path, program=None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["flows.toml", "system.xml"]
