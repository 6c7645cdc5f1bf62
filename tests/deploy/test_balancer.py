"""The example balancer, in a real nginx, before three stand-ins for nodes that answer with their own number.

What it does when real nodes are lost is tested in `tests/nodes`.
"""

import asyncio
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.waiting import PATIENCE, listens

pytestmark = pytest.mark.nginx

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "balancer" / "nginx.conf"
NAMES = [f"photos/{number}.jpg" for number in range(60)]
Ask = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def asked() -> list[str]:
    """The paths that arrived at any of the nodes."""
    return []


@pytest.fixture
async def nodes(asked: list[str]) -> AsyncIterator[list[TestServer]]:
    servers = []
    for number in range(3):

        async def answer(request: web.Request, number: int = number) -> web.Response:
            asked.append(request.path)
            if "dying" in request.path and asked.count(request.path) == 1:
                _die(request)
            if "torn" in request.path:
                await _begin_to_answer(request)
            await asyncio.sleep(60 if "slow" in request.path else 0)
            return web.Response(text=f"{number} {request.raw_path}", status=503 if "busy" in request.path else 200)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        servers.append(TestServer(app))
        await servers[-1].start_server()
    yield servers
    for server in servers:
        await server.close()


async def _begin_to_answer(request: web.Request) -> None:
    """Send half of an answer, and die."""
    response = web.StreamResponse(headers={"Content-Length": "200000"})
    await response.prepare(request)
    await response.write(b"." * 100_000)
    _die(request)


def _die(request: web.Request) -> None:
    """Reset the connection."""
    assert request.transport
    request.transport.abort()


@pytest.fixture
def seconds() -> float:
    """How long a second in the balancer's time limits is."""
    return 1.0


@pytest.fixture
async def ask(nodes: list[TestServer], seconds: float, tmp_path: Path) -> AsyncIterator[Ask]:
    """Asks the balancer for a path; gives the status, the number of the node, and the path as that node saw it."""
    ports = iter(nodes)
    text = re.sub(r"192\.0\.2\.\d+:8080", lambda _: f"127.0.0.1:{next(ports).port}", EXAMPLE.read_text())
    text = re.sub(r"(_timeout) (\d+)s;", lambda found: f"{found[1]} {1000 * int(found[2]) * seconds:.0f}ms;", text)
    text = text.replace("listen 80 default_server;", f"listen unix:{tmp_path}/socket;")
    (tmp_path / "nginx.conf").write_text("daemon off;\n" + text)
    program = shutil.which("nginx") or shutil.which("openresty")
    assert program
    command = [program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    nginx = await asyncio.create_subprocess_exec(*command)
    try:
        async with asyncio.timeout(PATIENCE):
            while not listens(tmp_path / "socket"):
                assert nginx.returncode is None
                await asyncio.sleep(0.01)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "socket"))) as session:

            async def get(path: str, method: str = "GET") -> tuple[int, str, str]:
                async with session.request(method, f"http://balancer{path}") as answer:
                    node, _, seen = (await answer.text()).partition(" ")
                    return answer.status, node, seen

            yield get
    finally:
        nginx.terminate()
        await nginx.wait()


async def test_all_derivatives_of_an_image_go_to_one_node_and_the_images_to_all(ask: Ask) -> None:
    share: Counter[str] = Counter()
    for name in NAMES:
        forms = [f"/images/{name}{rest}" for rest in ("", "/@full.jpg", "/@w=300,fit=cover.webp", "?w=300&format=webp")]
        seen = {(await ask(form))[1] for form in forms}
        assert len(seen) == 1, f"{name} went to {seen}"
        share[seen.pop()] += 1
    assert len(share) == 3 and min(share.values()) >= 5


async def test_the_request_line_arrives_byte_for_byte(ask: Ask) -> None:
    path = "/images/a%20b/%C3%A9%2B+~.jpg/@w=3,h=4.auto?sig=k1.abc-_%3D"
    assert (await ask(path))[2] == path


async def test_when_a_node_is_gone_nothing_fails_and_only_its_share_moves(ask: Ask, nodes: list[TestServer]) -> None:
    before = {name: (await ask(f"/images/{name}"))[1] for name in NAMES}
    await nodes[1].close()
    for name, node in before.items():
        status, now, _ = await ask(f"/images/{name}")
        assert status == 200
        assert now == node if node != "1" else now != "1"


async def test_a_node_that_is_too_busy_is_believed(ask: Ask) -> None:
    answers = {await ask("/images/busy.jpg") for _ in range(6)}
    assert len(answers) == 1
    assert answers.pop()[0] == 503


async def test_what_a_node_had_in_hand_when_it_died_is_asked_of_another(ask: Ask, asked: list[str]) -> None:
    status, _, path = await ask("/images/dying.jpg")
    assert (status, path) == (200, "/images/dying.jpg")
    assert asked == ["/images/dying.jpg"] * 2


async def test_an_answer_that_ends_too_early_is_never_mended_with_that_of_another(ask: Ask, asked: list[str]) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask("/images/torn.jpg")
    assert asked == ["/images/torn.jpg"]


async def test_a_post_is_never_asked_twice(ask: Ask, asked: list[str]) -> None:
    assert (await ask("/images/dying.jpg", "POST"))[0] == 502
    assert asked == ["/images/dying.jpg"]


@pytest.mark.parametrize("seconds", [0.01])
async def test_a_node_that_takes_too_long_is_believed(ask: Ask, asked: list[str]) -> None:
    """Otherwise an image that is too much for one node would be too much for all of them."""
    assert (await ask("/images/slow.jpg"))[0] == 504
    assert asked == ["/images/slow.jpg"]
