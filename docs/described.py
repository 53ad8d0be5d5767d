"""Write the OpenAPI document of the service and the AsyncAPI document of its stream: ``python -m docs.described``."""

import json
from pathlib import Path

from fundclock.app.service.application import make_application
from fundclock.app.service.stream import asyncapi

HERE = Path(__file__).parent


def main() -> None:
    """Write both."""
    documents = {"openapi": make_application(Path("nowhere.db")).openapi(), "asyncapi": asyncapi()}
    for name, document in documents.items():
        (HERE / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
