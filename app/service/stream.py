"""The stream of a simulation over a WebSocket: records in batches, resumable by seq, with progress in between.

Records are never lost: a batch waits until the reader has taken the one before. Progress is only ever the newest, so a
slow reader misses what has been overtaken.
"""

import asyncio
import json
import re
from typing import Annotated, Any, Literal

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from fundclock.app.service.problems import ServiceProblem
from fundclock.app.service.service import BASE, Service
from fundclock.scenarios.runs.manifest import versions

VERSION: Literal[1] = 1
BATCH = 5_000
INTERVAL = 0.07
"""Seconds between two looks at a run that goes on: some 14 batches a second."""

MAX_MESSAGE = 1_000
MAX_REASON = 120
"""Bytes of the reason with which a stream is closed; a frame of that kind has no room for more."""


class Frame(BaseModel):
    """What every frame has: the version of the envelope, the last seq and day that it tells of."""

    v: Literal[1] = VERSION
    seq: int = 0
    day: int | None = None


class HelloData(BaseModel):
    """The simulation that is streamed, and from where."""

    id: str
    status: str
    after_seq: int


class Hello(Frame):
    """The first frame."""

    type: Literal["hello"] = "hello"
    data: HelloData


class ProgressData(BaseModel):
    """How far something is: which module, per cent, in words; ``data`` says how many records there are."""

    module: str
    progress: float = Field(ge=0, le=100)
    message: str
    data: dict[str, Any] = Field(default_factory=dict)


class Progress(Frame):
    """The newest progress; older ones may have been left out."""

    type: Literal["progress"] = "progress"
    data: ProgressData


class EventsData(BaseModel):
    """Records as in ``/events``."""

    records: list[dict[str, Any]]


class Events(Frame):
    """Records in the order of the log, none left out."""

    type: Literal["events"] = "events"
    data: EventsData


class MetricsData(BaseModel):
    """The figures of a finished run."""

    metrics: dict[str, Any]
    warnings: list[str]


class Metrics(Frame):
    """After the last record."""

    type: Literal["metrics"] = "metrics"
    data: MetricsData


class ErrorData(BaseModel):
    """What went wrong."""

    code: str
    message: str


class Error(Frame):
    """The simulation did not finish, or can't be streamed."""

    type: Literal["error"] = "error"
    data: ErrorData


class DoneData(BaseModel):
    """How the simulation stands in the end."""

    status: str
    records: int
    head_hash: str | None


class Done(Frame):
    """The last frame."""

    type: Literal["done"] = "done"
    data: DoneData


class Cancel(BaseModel):
    """What a client may send: cancel the simulation."""

    type: Literal["cancel"]


FRAMES = (Hello, Progress, Events, Metrics, Error, Done)
AnyFrame = Annotated[Hello | Progress | Events | Metrics | Error | Done, Field(discriminator="type")]


async def stream(socket: WebSocket, service: Service, name: str, after: str) -> None:
    """Send everything after a seq, and go on until the simulation is over or the client leaves."""
    await socket.accept()
    if re.fullmatch(r"[0-9]{1,15}", after) is None:
        await _refuse(socket, "invalid", f"after_seq must be a whole number from 0, got {after}")
        return
    after_seq = int(after)
    try:
        found, _ = await service.one(name)
    except ServiceProblem as problem:
        await _refuse(socket, "not_found", problem.detail)
        return
    if after_seq > found.records and found.status == "finished":
        message = f"after_seq {after_seq} is beyond the log, which has {found.records} records"
        await _refuse(socket, "beyond_the_log", message)
        return
    hello = Hello(seq=after_seq, data=HelloData(id=name, status=found.status, after_seq=after_seq))
    sending = asyncio.create_task(_send(socket, service, name, after_seq, hello))
    listening = asyncio.create_task(_listen(socket, service, name))
    done, pending = await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        error = task.exception()
        if error is not None and not isinstance(error, WebSocketDisconnect):
            raise error
    if sending not in done and listening.result() is not None:
        await socket.close(1003, listening.result())


async def _refuse(socket: WebSocket, code: str, message: str) -> None:
    await socket.send_text(Error(data=ErrorData(code=code, message=message)).model_dump_json())
    await socket.close(1008, message.encode()[:MAX_REASON].decode(errors="ignore"))


async def _listen(socket: WebSocket, service: Service, name: str) -> str | None:
    """Obey what the client sends, until it leaves; the reason to end the stream, where it can't be understood."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        try:
            if text is None or len(text) > MAX_MESSAGE:
                raise ValueError("expected a short text")
            Cancel.model_validate_json(text)
        except (ValidationError, ValueError):
            return 'expected {"type": "cancel"}'
        await service.engine.cancel(name)


async def _send(socket: WebSocket, service: Service, name: str, seq: int, hello: Hello) -> None:
    await socket.send_text(hello.model_dump_json())
    day: int | None = None
    told = -1.0
    while True:
        found, info = await service.one(name)
        open_ = found.status in ("queued", "running", "cancelling")
        while info is not None and seq < found.records:
            rows = await service.reader.page(name, seq, None, BATCH)
            if not rows:
                break
            last = json.loads(rows[-1])
            seq, day = last["seq"], last["day"]
            head = f'{{"v":{VERSION},"type":"events","seq":{seq},"day":{day},"data":{{"records":['
            await socket.send_text(head + b",".join(rows).decode() + "]}}")
        if open_ and found.progress != told:
            told = found.progress
            counts = {"records": found.records}
            shown = ProgressData(module="simulation", progress=round(100 * told, 2), message=found.status, data=counts)
            await socket.send_text(Progress(seq=seq, day=day, data=shown).model_dump_json())
        if not open_:
            break
        await asyncio.sleep(INTERVAL)
    if found.status == "finished":
        summary = json.loads(await service.engine.view(name, found.head_hash, "summary", {}))
        data = MetricsData(metrics=summary["metrics"], warnings=summary["warnings"])
        await socket.send_text(Metrics(seq=seq, day=day, data=data).model_dump_json())
    else:
        detail = (found.problem or {}).get("detail", f"the simulation is {found.status}")
        await socket.send_text(
            Error(seq=seq, day=day, data=ErrorData(code=found.status, message=detail)).model_dump_json()
        )
    done = DoneData(status=found.status, records=found.records, head_hash=found.head_hash)
    await socket.send_text(Done(seq=seq, day=day, data=done).model_dump_json())
    await socket.close(1000, found.status)


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document of the stream, from the models of its frames."""
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for model in (*FRAMES, Cancel):
        schema = TypeAdapter(model).json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
        messages[model.__name__] = {
            "name": model.__name__,
            "summary": (model.__doc__ or "").strip(),
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        }
    address = f"{BASE}/simulations/{{id}}/stream"
    refs = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}

    def of(names: list[str]) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/stream/messages/{name}"} for name in names]

    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fundclock's stream",
            "version": versions()["fundclock"],
            "description": "Records of a simulation in batches; `?after_seq=` goes on where a reader stopped.",
        },
        "channels": {
            "stream": {
                "address": address,
                "parameters": {"id": {"description": "The simulation."}},
                "bindings": {
                    "ws": {"query": {"type": "object", "properties": {"after_seq": {"type": "integer", "minimum": 0}}}}
                },
                "messages": refs,
            }
        },
        "operations": {
            "read": {
                "action": "receive",
                "channel": {"$ref": "#/channels/stream"},
                "messages": of([model.__name__ for model in FRAMES]),
            },
            "cancel": {
                "action": "send",
                "channel": {"$ref": "#/channels/stream"},
                "messages": of([Cancel.__name__]),
            },
        },
        "components": {"messages": messages, "schemas": schemas},
    }
