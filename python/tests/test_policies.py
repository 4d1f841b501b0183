"""Guards, one-way flows, the audit log and partitions: `ferry check` reads them as they are meant."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import tomllib

from conftest import ROOT, Pair, domain, run, system
from ferry_sdfgen import Ferry, Quorum, TimeSlot
from test_refusals import refused

if TYPE_CHECKING:
    from pathlib import Path


def report(program: str, directory: Path) -> dict[str, Any]:
    """The isolation report of a project."""
    found: dict[str, Any] = json.loads(run(program, "check", "--format", "json", cwd=directory))["report"]
    return found


def test_the_system_of_the_guard_example_can_be_described(program: str, tmp_path: Path) -> None:
    sdf = system()
    ferry = Ferry(sdf)
    made = {}
    for name in ("sensor", "console", "schema", "range-a", "range-b", "range-c"):
        made[name] = domain(name)
        sdf.add_pd(made[name])
    logger = domain("logger")
    sdf.add_pd(logger)
    client = {name: ferry.add_client(each, receive_bytes=0x4_0000) for name, each in made.items()}
    ferry.add_flow(
        client["sensor"],
        client["console"],
        guards=[client["schema"], Quorum(2, [client["range-a"], client["range-b"], client["range-c"]])],
        verdict_within=100,
        one_way=True,
        audit="refusals",
    )
    ferry.set_audit(logger, log_bytes=0x1_0000, records="all")
    ferry.write(tmp_path, program=program)

    flows = tomllib.loads((tmp_path / "flows.toml").read_text())
    shown = tomllib.loads((ROOT / "examples/guard/flows.toml").read_text())
    assert flows["flow"][0]["guards"] == shown["flow"][0]["guards"]
    found = report(program, tmp_path)
    (flow,) = found["flows"]
    assert flow["guards"] == [
        {"quorum": 1, "of": ["schema"]},
        {"quorum": 2, "of": ["range-a", "range-b", "range-c"]},
    ]
    assert (flow["verdict_within"], flow["one_way"], flow["audit"]) == (100, True, "refusals")
    assert found["audit"] == {"region": "audit_log", "reader": "logger"}
    roles = {row["name"]: row["role"] for row in found["domains"]}
    assert (roles["schema"], roles["range-c"], roles["logger"]) == ("guard", "guard", "auditor")


def test_a_one_way_flow_has_a_return_path_with_a_reason(pair: Pair, program: str, tmp_path: Path) -> None:
    reason = 'the "line" reports faults \\ nothing else'
    pair.ferry.add_flow(pair.bob, pair.alice, one_way=True, return_path=reason)
    pair.ferry.write(tmp_path, program=program)
    assert report(program, tmp_path)["flows"][1]["return_path"] == reason


def test_central_has_room_for_many_stages(program: str, tmp_path: Path) -> None:
    """Each stage takes room in central's configuration."""
    sdf = system()
    ferry = Ferry(sdf)
    clients = []
    for number in range(24):
        made = domain(f"node-{number}")
        sdf.add_pd(made)
        clients.append(ferry.add_client(made))
    ends, guards = clients[:16], clients[16:]
    for number, end in enumerate(ends):
        ferry.add_flow(end, ends[(number + 1) % len(ends)], guards=guards, max_message=64)
    ferry.write(tmp_path, program=program)
    assert len(report(program, tmp_path)["flows"]) == 16


def partitioned() -> tuple[Ferry, list[TimeSlot]]:
    """A system with two clients in scheduling domains of their own."""
    sdf = system()
    ferry = Ferry(sdf)
    low, high = domain("sensor"), domain("console")
    for each in (low, high):
        sdf.add_pd(each)
    ferry.add_flow(ferry.add_client(low), ferry.add_client(high), one_way=True)
    exchange = TimeSlot("exchange", 500)
    slots = [TimeSlot("low", 2000), exchange, TimeSlot("high", 2000), exchange]
    assert ferry.ticker is not None
    ferry.set_schedule(slots, {"low": [low, ferry.ticker], "exchange": [ferry.central], "high": [high]})
    return ferry, slots


def test_partitions_are_those_of_the_schedule(program: str, tmp_path: Path) -> None:
    ferry, _ = partitioned()
    for name in ("low", "high"):
        assert ferry.add_partition(name, period_us=2500).name == f"{name}-begins"
    ferry.write(tmp_path, program=program)
    assert report(program, tmp_path)["partitions"] == [
        {"domain": "low", "announcer": "low-begins", "clients": ["sensor"]},
        {"domain": "high", "announcer": "high-begins", "clients": ["console"]},
    ]
    # `ferry add` goes on from there.
    run(program, "remove", "partition", "low", "high", cwd=tmp_path)
    assert report(program, tmp_path)["partitions"] == []
    run(program, "add", "partition", "low", "high", cwd=tmp_path)
    assert len(report(program, tmp_path)["partitions"]) == 2


def test_what_cannot_be_meant_is_refused(pair: Pair) -> None:
    word: Any = "everything"
    stranger = Ferry(system()).add_client(domain("guard"))
    flow = partial(pair.ferry.add_flow, pair.bob, pair.alice)
    assert '\'everything\'; give "refusals" or "all"' in refused(partial(flow, audit=word))
    for guards in ([stranger], [Quorum(1, [stranger])]):
        assert "is no client of this system; give what `add_client` returned" in refused(
            partial(flow, guards=guards)
        )
    logger = domain("logger")
    assert "records is 'everything'" in refused(partial(pair.ferry.set_audit, logger, records=word))
    pair.ferry.set_audit(logger)
    assert refused(partial(pair.ferry.set_audit, logger)) == (
        "Ferry.set_audit(logger): there is an audit log already; remove one of the two calls"
    )
    assert refused(partial(pair.ferry.add_partition, "low", period_us=1)) == (
        "Ferry.add_partition(low): the schedule has no scheduling domain of that name; "
        "call `set_schedule` before"
    )


def test_a_schedule_that_cannot_be_meant_is_refused() -> None:
    ferry, slots = partitioned()
    assert refused(partial(ferry.set_schedule, slots, {})) == (
        "Ferry.set_schedule: there is a schedule already; remove one of the two calls"
    )
    assert refused(partial(ferry.add_partition, "lo", period_us=1)) == (
        'Ferry.add_partition(lo): the schedule has no scheduling domain of that name; give "low" or '
        '"exchange" or "high"'
    )
    ferry.add_partition("low", period_us=2500)
    assert "it is a partition already" in refused(partial(ferry.add_partition, "low", period_us=2500))
    fresh = Ferry(system())
    twice = {"low": [fresh.central], "high": [fresh.central]}
    assert refused(partial(fresh.set_schedule, slots, twice)) == (
        "Ferry.set_schedule: `central` is in `low` and in `high`; leave it out of one of them"
    )
    fresh.set_schedule(slots, {"low": [domain("lost")]})
    assert "`lost` has a scheduling domain and is not in the system" in refused(fresh.render)
