"""What this module writes is, by its meaning, what `ferry new` and `ferry add` write for the same system."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, TypeAlias

import pytest
import tomllib

from conftest import domain, run, system
from ferry_sdfgen import UNUSED_BUFFER_BYTES, Client, Ferry, Tick

if TYPE_CHECKING:
    from pathlib import Path

SMALL = UNUSED_BUFFER_BYTES
# Addresses and numbers of channels are chosen, and mean nothing.
CHOSEN = {"vaddr", "id"}
NUMBERS = {"size", "page_size", "stack_size", "priority", "budget", "period"}
# What an attribute means that is not written.
DEFAULTS = {"cached": "true", "fpu": "true", "stack_size": "8192"}

Meaning: TypeAlias = "list[str | list[tuple[str, str]] | list[Meaning]]"


def meaning(element: ET.Element) -> Meaning:
    """An element of a system description, without the order of its children and without what is chosen."""
    attributes = {
        key: str(int(value.replace("_", ""), 0)) if key in NUMBERS else value
        for key, value in element.attrib.items()
        if key not in CHOSEN
    }
    stated = sorted((key, value) for key, value in attributes.items() if DEFAULTS.get(key) != value)
    return [element.tag, stated, sorted((meaning(child) for child in element), key=json.dumps)]


def report(program: str, directory: Path) -> object:
    """The isolation report, without the places of what it is about."""

    def without_places(value: object) -> object:
        if isinstance(value, dict):
            kept = {key: without_places(part) for key, part in value.items()}
            return {key: part for key, part in kept.items() if key not in ("line", "system", "flows_file")}
        if isinstance(value, list):
            return sorted((without_places(part) for part in value), key=json.dumps)
        return value

    return without_places(json.loads(run(program, "check", "--format", "json", cwd=directory)))


@pytest.mark.parametrize("clients", [0, 27])
def test_a_system_is_that_of_ferry_add(program: str, tmp_path: Path, clients: int) -> None:
    """With 27 clients more, central's configuration needs a second page."""
    by_ferry, by_module = tmp_path / "by-ferry", tmp_path / "by-module"
    run(program, "new", "by-ferry", cwd=tmp_path)
    sdf = system()
    ferry = Ferry(sdf)

    def add(name: str, transmit: int, receive: int, *, large: bool = True) -> Client:
        made = domain(name)
        sdf.add_pd(made)
        return ferry.add_client(
            made, transmit_bytes=transmit, receive_bytes=receive, large_frames=large, fpu=False
        )

    used = 0x40000
    greeter, listener = add("greeter", used, SMALL), add("listener", SMALL, used)
    ferry.add_flow(greeter, listener)
    if clients == 0:
        run(program, "add", "client", "movie", "--template", "echo", "--small-frames", cwd=by_ferry)
        run(program, "add", "flow", "greeter", "movie", "--class", "urgent", cwd=by_ferry)
        run(
            program,
            "add",
            "flow",
            "movie",
            "greeter",
            "--mapping",
            "keep",
            "--max-message",
            "4 KiB",
            cwd=by_ferry,
        )
        movie = add("movie", used, used, large=False)
        ferry.add_flow(greeter, movie, flow_class="urgent")
        ferry.add_flow(movie, greeter, mapping="keep", max_message="4 KiB")
    for number in range(clients):
        name = f"node-{number}"
        run(program, "add", "client", name, "--template", "receiver", cwd=by_ferry)
        add(name, SMALL, used)
    ferry.write(by_module, program=program)

    trees = [ET.parse(place / "system.xml").getroot() for place in (by_ferry, by_module)]
    assert meaning(trees[0]) == meaning(trees[1])
    flows = [tomllib.loads((place / "flows.toml").read_text()) for place in (by_ferry, by_module)]
    assert flows[0] == flows[1]
    assert report(program, by_ferry) == report(program, by_module)
    config = trees[1].find("memory_region[@name='ferry_config']")
    assert config is not None
    assert config.get("size") == ("0x2000" if clients else "0x1000")


def test_every_key_is_one_that_ferry_knows(program: str, tmp_path: Path) -> None:
    sdf = system()
    ferry = Ferry(sdf, tick=Tick(period_us=20_000, budget_us=500, priority=230), priority=210)
    domains = [domain("alice"), domain("bob"), domain("store")]
    for each in domains:
        sdf.add_pd(each)
    alice = ferry.add_client(domains[0], bytes_per_round="64 KiB", messages_per_round=16)
    bob = ferry.add_client(domains[1], bytes_per_round=4096, large_frames=False)
    ferry.add_flow(alice, bob, flow_class="normal", mapping="each", max_message=512)
    for each in domains[:2]:
        sdf.add_channel(type(sdf).Channel(each, domains[2]))
    ferry.trust_domain(domains[2], reason='it "forgets" what ä says')
    ferry.set_restarts(ferry.central, 1)
    ferry.set_restarts(domains[0], 2)
    ferry.write(tmp_path / "new", program=program)
    text = (tmp_path / "new/flows.toml").read_text()
    assert text.count("[[flow]]\n") == text.count("[[trusted]]\n") == 1
    assert tomllib.loads(text) == {
        "tick": {"period_us": 20_000},
        "flow": [{"from": "alice", "to": "bob", "class": "normal", "mapping": "each", "max_message": 512}],
        "client": {
            "alice": {"bytes_per_round": "64 KiB", "messages_per_round": 16, "large_frames": True},
            "bob": {"bytes_per_round": 4096},
        },
        "restarts": {"central": 1, "alice": 2},
        "trusted": [{"domain": "store", "reason": 'it "forgets" what ä says'}],
    }


def test_central_and_the_ticker_run_on_the_core_that_is_named() -> None:
    sdf = system()
    ferry = Ferry(sdf, cpu=1)
    assert ferry.central.name == "central"
    domains = ET.fromstring(ferry.render().system).iterfind("protection_domain")
    assert {each.get("name"): each.get("cpu") for each in domains} == {"ticker": "1", "central": "1"}


def test_without_a_tick_there_is_no_ticker(program: str) -> None:
    sdf = system()
    ferry = Ferry(sdf, tick=None)
    clients = []
    for name in ("alice", "bob"):
        made = domain(name)
        sdf.add_pd(made)
        clients.append(ferry.add_client(made))
    ferry.add_flow(*clients)
    description = ferry.render()
    description.check(program)
    assert "ticker" not in description.system
    assert "tick" not in tomllib.loads(description.flows)


def test_memory_of_another_part_of_the_system_stays_where_it_is(program: str) -> None:
    """As that of sDDF, which `sdfgen` maps from the same address on."""
    sdf = system()
    log = type(sdf).MemoryRegion(sdf, "log", 0x40_0000)
    sdf.add_mr(log)
    ferry = Ferry(sdf)
    made = [domain("alice"), domain("bob")]
    made[0].add_map(type(sdf).Map(log, made[0].get_map_vaddr(log), "rw"))
    for each in made:
        sdf.add_pd(each)
    ferry.add_flow(*(ferry.add_client(each) for each in made))
    made[1].add_irq(type(sdf).IrqConventional(40))
    description = ferry.render()
    description.check(program)
    maps = {
        element.get("mr"): int(element.get("vaddr", ""), 16)
        for element in ET.fromstring(description.system).iterfind(".//protection_domain[@name='alice']/map")
    }
    assert len(set(maps.values())) == 5
    assert maps["alice_out"] >= maps["log"] + 0x40_0000
    assert maps["alice_tx"] % 0x20_0000 == 0
