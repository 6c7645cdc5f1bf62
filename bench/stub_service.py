"""The service with engine processes that do nothing: `python -m bench.stub_service CONFIG`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from service import app
from service.engine.pool.settings import EngineSettings
from service.runtime.configuration import read_config

if __name__ == "__main__":
    app.EngineSettings = partial(EngineSettings, module="bench.stub_engine")  # type: ignore[assignment,attr-defined]
    configuration, _ = read_config(Path(sys.argv[1]))
    app.serve(configuration)
