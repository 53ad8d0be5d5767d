"""The stream of a simulation over a WebSocket."""

import asyncio
import json
import socket as sockets
from types import SimpleNamespace

import pytest
from pydantic import TypeAdapter
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

import held
from fundclock.app.service import engine as engine_module
from fundclock.app.service import stream as stream_module
from fundclock.app.service.models import Simulation
from fundclock.app.service.serve import guarded
from fundclock.app.service.stream import FRAMES, AnyFrame, stream
from fundclock.events.stores.sqlite import SqliteStore
from serving import ADDRESS, BASE, LONG, SMALL, create

HOST = {"Host": "127.0.0.1:8000"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("stream") / "store.db"


@pytest.fixture(scope="module")
def client(path):
    with TestClient(guarded(path, "127.0.0.1", 8000, None, [], workers=1), base_url=ADDRESS) as made:
        yield made


@pytest.fixture
def brake(path, client, monkeypatch):
    """What the client's simulations are held with."""
    monkeypatch.setattr(engine_module, "play_job", held.play_job)
    made = held.Brake(path)
    yield made
    made.release()


@pytest.fixture(scope="module")
def streamed(client):
    """A simulation that was streamed from its beginning, with its frames."""
    name = client.post(f"{BASE}/simulations", json={"scenario": "base", "seed": 7}).json()["id"]
    return name, read(client, name)


def read(client, name, after=0, most=10**6):
    frames = []
    with client.websocket_connect(f"{BASE}/simulations/{name}/stream?after_seq={after}", headers=HOST) as socket:
        while len(frames) < most:
            frames.append(json.loads(socket.receive_text()))
            if frames[-1]["type"] == "done":
                break
    return frames


def records(frames):
    return [record for frame in frames if frame["type"] == "events" for record in frame["data"]["records"]]


def test_every_record_comes_once_and_in_order(client, path, streamed):
    name, frames = streamed
    with SqliteStore(path) as store:
        lines = [json.loads(record.line()) for record in store.log(name)]
    assert records(frames) == lines
    assert [frames[0]["type"], frames[-2]["type"], frames[-1]["type"]] == ["hello", "metrics", "done"]
    assert frames[-1]["data"] == {
        "status": "finished",
        "records": len(lines),
        "head_hash": client.get(f"{BASE}/simulations/{name}").json()["head_hash"],
    }
    steps = [frame["data"] for frame in frames if frame["type"] == "progress"]
    told = [step["progress"] for step in steps]
    assert told == sorted(told)
    assert all(set(step) == {"module", "progress", "message", "data"} for step in steps)
    for frame in frames:
        TypeAdapter(AnyFrame).validate_python(frame)


def test_a_reader_goes_on_where_it_stopped(client, streamed):
    name, frames = streamed
    rest = read(client, name, after=1000)
    assert records(rest) == records(frames)[1000:]
    assert records(read(client, name, after=len(records(frames)))) == []


def test_many_readers_see_the_same(client, streamed):
    name, frames = streamed
    address = f"{BASE}/simulations/{name}/stream"
    with client.websocket_connect(address, headers=HOST) as a, client.websocket_connect(address, headers=HOST) as b:
        for socket in (a, b):
            got = []
            while not got or got[-1]["type"] != "done":
                got.append(json.loads(socket.receive_text()))
            assert records(got) == records(frames)


@pytest.mark.parametrize(
    ("name", "after", "code"),
    [
        ("none", 0, "not_found"),
        ("é" * 90, 0, "not_found"),
        (None, 10**9, "beyond_the_log"),
        (None, -1, "invalid"),
        (None, "x", "invalid"),
        (None, 10**30, "invalid"),
    ],
)
def test_what_can_not_be_streamed_is_said(client, streamed, name, after, code):
    with client.websocket_connect(
        f"{BASE}/simulations/{name or streamed[0]}/stream?after_seq={after}", headers=HOST
    ) as socket:
        assert json.loads(socket.receive_text())["data"]["code"] == code
        with pytest.raises(WebSocketDisconnect):
            socket.receive_text()


@pytest.mark.parametrize("garbage", ["", "x" * 5000, "{}", '{"type": "sing"}', "\x00"])
def test_garbage_closes_the_stream_with_a_reason(client, brake, garbage):
    brake.hold()
    name = create(client, scenario="base", seed=1, set=SMALL)
    with client.websocket_connect(f"{BASE}/simulations/{name}/stream", headers=HOST) as socket:
        socket.send_text(garbage)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                socket.receive_text()
        assert closed.value.code == 1003
        assert "cancel" in closed.value.reason
    client.delete(f"{BASE}/simulations/{name}")


def test_a_client_may_cancel(client, brake):
    brake.hold()
    name = create(client, scenario="base", seed=2, set=SMALL)
    with client.websocket_connect(f"{BASE}/simulations/{name}/stream", headers=HOST) as socket:
        socket.receive_text()
        socket.send_text('{"type": "cancel"}')
        frames = [json.loads(socket.receive_text())]
        while frames[-1]["type"] != "done":
            frames.append(json.loads(socket.receive_text()))
    assert frames[-1]["data"]["status"] == "cancelled"
    assert frames[-2]["type"] == "error"


@pytest.mark.parametrize("headers", [{"Host": "evil.example:8000"}, {**HOST, "Origin": "http://evil.example"}])
def test_other_hosts_and_origins_are_refused(client, streamed, headers):
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect(f"{BASE}/simulations/{streamed[0]}/stream", headers=headers),
    ):
        pass
    assert closed.value.code == 1008


def test_the_stream_is_described_by_its_frames(client):
    document = client.get(f"{BASE}/asyncapi.json").json()
    assert document["asyncapi"] == "3.0.0"
    assert {frame.__name__ for frame in FRAMES} | {"Cancel"} == set(document["components"]["messages"])
    text = json.dumps(document)
    for reference in set(text.split('"$ref": "')[1:]):
        node = document
        for part in reference.split('"')[0].removeprefix("#/").split("/"):
            node = node[part]


class Reader:
    """The end of a WebSocket whose reader takes a frame only when it is told to."""

    def __init__(self):
        self.offered, self.taken = [], []
        self._takes = asyncio.Semaphore(0)

    async def accept(self):
        pass

    async def receive(self):
        await asyncio.Event().wait()  # it says nothing

    async def send_text(self, text):
        self.offered.append(json.loads(text))
        await self._takes.acquire()
        self.taken.append(self.offered[-1])

    async def close(self, code, reason):
        pass

    async def take(self):
        """The next frame, once there is one."""
        place = len(self.taken)
        self._takes.release()
        while len(self.taken) == place:
            await asyncio.sleep(0)
        return self.taken[place]


def test_a_slow_reader_is_told_of_the_newest_progress_only(monkeypatch):
    monkeypatch.setattr(stream_module, "INTERVAL", 0)
    common = {"id": "x", "scenario": "base", "seed": 1, "records": 0, "head_hash": None, "parent": None}
    stands = Simulation(**common, status="running", progress=0, divergence_seq=None, problem=None)

    async def one(_name):
        return stands, None

    async def told():
        nonlocal stands
        reader = Reader()
        sending = asyncio.create_task(stream(reader, SimpleNamespace(one=one), "x", "0"))
        assert (await reader.take())["type"] == "hello"
        assert (await reader.take())["data"]["progress"] == 0
        shown = []
        for step in range(1, 60):
            stands = stands.model_copy(update={"progress": step / 100})
            for _ in range(20):  # whoever serves it has every chance to tell
                await asyncio.sleep(0)
            if step % 20 == 0:
                shown.append((await reader.take())["data"]["progress"])
        stands = stands.model_copy(update={"status": "cancelled"})
        while (frame := await reader.take())["type"] != "done":
            shown.append(frame["data"].get("progress", frame["type"]))
        await sending
        return shown

    assert asyncio.run(told()) == [1, 21, 41, "error"]  # each is the newest of when the one before was taken


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with held.Held(tmp_path_factory.mktemp("held"), "--workers", "1") as made:
        yield made


def seqs_of(frames):
    return [record["seq"] for record in records(frames)]


def test_a_slow_reader_misses_no_record(served):
    served.brake.hold()
    name = served.start("base", 1, {**LONG, "fund.size": "1bn"})
    served.brake.held(name)
    narrow = sockets.socket()
    narrow.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)  # what is on its way has little room
    narrow.connect(("127.0.0.1", served.port))
    address = f"ws://127.0.0.1:{served.port}{BASE}/simulations/{name}/stream"
    with connect(address, sock=narrow, max_size=None, max_queue=1) as slow:
        frames = [json.loads(slow.recv())]
        served.brake.release()
        found = served.over(name)
        frames += [json.loads(text) for text in slow]
    assert (found["status"], found["records"] > 30_000) == ("finished", True)
    assert seqs_of(frames) == list(range(1, found["records"] + 1))
    told = [frame["data"]["progress"] for frame in frames if frame["type"] == "progress"]
    assert told == sorted(told)
    assert frames[-1]["type"] == "done"


def test_a_reader_that_loses_its_connection_again_and_again_gets_everything(served):
    served.brake.hold(0.5)
    name = served.start("base", 2, {**LONG, "fund.size": "500m"})
    served.brake.held(name)
    address = f"ws://127.0.0.1:{served.port}{BASE}/simulations/{name}/stream?after_seq="
    seqs, connections, over = [], 0, False
    while not over:
        with connect(f"{address}{seqs[-1] if seqs else 0}", max_size=None) as socket:
            connections += 1
            if connections == 2:
                served.brake.release()
            for _ in range(3):
                frame = json.loads(socket.recv())
                over = over or frame["type"] == "done"
                seqs += seqs_of([frame])
                if over:
                    break
    assert seqs == list(range(1, served.get(f"/simulations/{name}")["records"] + 1))
    assert connections >= 3
