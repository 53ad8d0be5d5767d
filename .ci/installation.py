"""What an installation of Fundclock holds and does: ``make installation``.

A wheel and a source distribution are built from a copy of the tree in which the links of ``fundclock/`` are what Git
makes of them on Windows. Both are installed into empty environments, with the locked versions of what they ask for, and
used from empty folders outside the checkout: with and without extras, beside a package that owns a module ``events``,
and with every Python that is claimed and at hand.
"""

import csv
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import compat32
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen
from zipfile import ZipFile

from packaging.metadata import Metadata
from readme_renderer import markdown
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
UV = find_uv_bin()
FLOORS = ("events", "handlers", "sim", "scenarios", "app")
LOCKS = ("dev.txt", "installation.txt")
NEED_EXTRAS = ("fundclock.app.drawing", "fundclock.app.report", "fundclock.app.service")
"""What can't be imported without extras."""

SECONDS = 300
"""How long one command may take; an installation may have to load 200 MB."""


class Failed(Exception):
    """Something is not as it must be."""


def expect(true: bool, otherwise: str) -> None:
    """Raises Failed where something is not true."""
    if not true:
        raise Failed(otherwise)


@contextmanager
def step(what: str) -> Iterator[None]:
    """A line for what is done, and how long it took."""
    print(f"  {what} …", end="", flush=True)
    began = time.monotonic()
    yield
    print(f" {time.monotonic() - began:.1f} s", flush=True)


def call(*words: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None, code: int = 0) -> str:
    """What a command prints on stdout and stderr. Raises Failed where it ends with another code."""
    shown = " ".join(str(word) for word in words)
    try:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"'{shown}' did not end within {SECONDS} s") from None
    expect(done.returncode == code, f"'{shown}' ended with {done.returncode} instead of {code}:\n{done.stdout}")
    return done.stdout


class Environment:
    """An empty environment of a Python, and an empty folder and home to use it from."""

    def __init__(self, path: Path, python: str) -> None:
        self.path, self.folder = path, path / "empty"
        with step("an empty environment"):
            call(UV, "venv", "--quiet", "--no-project", "--python", python, path)
            self.folder.mkdir()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FUNDCLOCK_"))}
        self.environ = {**kept, "HOME": str(self.folder), "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"}
        self.environ.pop("VIRTUAL_ENV", None)

    def install(self, *requirements: str) -> None:
        """What a user's command would bring, in the locked versions."""
        locks = [word for lock in LOCKS for word in ("--constraint", str(ROOT / "requirements" / lock))]
        call(UV, "pip", "install", "--quiet", "--python", self.python, *locks, *requirements)

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.path / "bin" / "python"

    def run(self, *words: str, code: int = 0) -> str:
        """What ``fundclock`` prints."""
        return call(self.path / "bin" / "fundclock", *words, cwd=self.folder, environ=self.environ, code=code)

    def ask(self, program: str, code: int = 0) -> str:
        """What a Python program prints."""
        return call(self.python, "-c", program, cwd=self.folder, environ=self.environ, code=code)


def tree(into: Path) -> Path:
    """A copy of the tree without what Git ignores; links are files that hold their target."""
    if (ROOT / ".git").exists():
        listed = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
        for name in listed:
            if name and os.path.lexists(ROOT / name):
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, into / name, follow_symlinks=False)
    else:
        ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").replace("/", "").split()
        shutil.copytree(ROOT, into, symlinks=True, ignore=shutil.ignore_patterns(*ignored))
    for path in into.rglob("*"):
        if path.is_symlink():
            target = path.readlink()
            path.unlink()
            path.write_text(str(target), encoding="utf-8")
    return into


def files(folder: Path) -> set[str]:
    """The names of all files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def build(source: Path, kind: str, into: Path) -> Path:
    """The distribution of a kind, built with the locked backend in an environment of its own."""
    locks = ("--build-constraint", ROOT / "requirements" / "dev.txt")
    call(UV, "build", "--quiet", f"--{kind}", *locks, "--out-dir", into, source)
    [built] = into.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, but not the list that holds their order."""
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith(("/RECORD", "/"))}


def same(found: Iterable[str], wanted: Iterable[str], what: str, remedy: str) -> None:
    """Raises Failed, with all differences, where two lists of files differ."""
    found, wanted = set(found), set(wanted)
    lines = [f"{what} lacks {name}; {remedy}" for name in sorted(wanted - found)]
    lines += [f"{what} holds {name}, which is not in the tree" for name in sorted(found - wanted)]
    expect(not lines, "\n".join(lines))


def check_files(tree_files: set[str], sdist: Path, wheel: Path) -> None:
    """Whether the distributions hold what the tree holds, and nothing else."""
    wanted = tree_files - {f"fundclock/{floor}" for floor in FLOORS}
    installed = {name for name in contents(wheel) if ".dist-info/" not in name}
    own = {name for name in wanted if name.startswith("fundclock/")}
    below = {f"fundclock/{name}" for name in wanted if name.partition("/")[0] in FLOORS}
    same(installed, own | below, "the wheel", "name it under [tool.setuptools.package-data] in pyproject.toml")
    with tarfile.open(sdist) as archive:
        packed = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    made = {"PKG-INFO", "setup.cfg", *(name for name in packed if name.startswith("fundclock.egg-info/"))}
    same(packed - made, wanted - made, "the source distribution", "name it in MANIFEST.in, or in .gitignore")


def check_metadata(wheel: Path) -> Metadata:
    """Whether the metadata is valid, and its description can be shown where the tree is not at hand."""
    [text] = [content for name, content in contents(wheel).items() if name.endswith(".dist-info/METADATA")]
    metadata = Metadata.from_email(text)
    shown = markdown.render(str(BytesParser(policy=compat32).parsebytes(text).get_payload()))
    expect(shown is not None, "the description can't be rendered")
    lost = re.findall(r"(?:href|src)=\"(?!https?:|#|mailto:)([^\"]*)\"", shown or "")
    expect(not lost, f"on a package index, these links of the description lead nowhere: {', '.join(lost)}")
    return metadata


def pythons(metadata: Metadata) -> dict[str, str | None]:
    """The Pythons that are claimed, and where each is; None for one that is not at hand."""
    label = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    claimed = [found[1] for name in metadata.classifiers or () if (found := label.fullmatch(name))]
    return {version: find_python(version) for version in claimed}


def find_python(version: str) -> str | None:
    """A Python of this version."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    for words in (
        [UV, "python", "find", "--no-project", "--no-python-downloads", version],
        ["pyenv", "prefix", version],
    ):
        if shutil.which(words[0]) is None:
            continue
        found = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT.anchor)
        if found.returncode == 0:
            path = Path(found.stdout.strip())
            return str(path / "bin" / f"python{version}" if path.is_dir() else path)
    return None


def check_use(env: Environment, version: str) -> None:
    """The first things that anyone does: a demo, a stored run, and its verification."""
    with step("--version, demo, run, verify"):
        said = call(env.python, "-m", "fundclock", "--version", cwd=env.folder, environ=env.environ)
        expect(said == f"fundclock {version}\n", f"--version says {said}")
        env.run("demo")
        env.run("run", "base", "--seed", "7", "--store", "x.db")
        expect("records verified" in env.run("verify", "last", "--store", "x.db"), "a run does not verify")


def check_names(env: Environment) -> None:
    """Whether the installation adds one name to what can be imported."""
    with step("one name is added"):
        [record] = env.path.glob("lib/python*/site-packages/fundclock-*.dist-info/RECORD")
        with record.open(encoding="utf-8", newline="") as rows:
            names = {row[0].partition("/")[0] for row in csv.reader(rows)}
        names -= {"..", record.parent.name}
        expect(names == {"fundclock"}, f"the installation adds {', '.join(sorted(names))}")


def check_imports(env: Environment, without: tuple[str, ...] = ()) -> None:
    """Whether every module can be imported, but for those that need an extra."""
    with step("every module is imported"):
        found = env.ask(
            "import importlib, pathlib, fundclock\n"
            "root = pathlib.Path(fundclock.__file__).parent\n"
            "for path in sorted(root.rglob('*.py')):\n"
            "    name = '.'.join(path.relative_to(root.parent).with_suffix('').parts).removesuffix('.__init__')\n"
            "    try:\n"
            "        importlib.import_module(name)\n"
            "    except ImportError as error:\n"
            "        print(name, 'can not be imported:', error)\n"
        )
        wrong = [line for line in found.splitlines() if not line.startswith(without)] if without else found.splitlines()
        expect(not wrong, "\n".join(wrong))


def check_without_extras(env: Environment) -> None:
    """Whether everything that needs an extra names the command that installs it; the rest works."""
    with step("report, draw and serve without their extras"):
        for words, extra in (
            (("report", "last", "--store", "x.db", "-o", "r.html"), "figures"),
            (("serve", "--store", "x.db"), "service"),
        ):
            said = env.run(*words, code=2)
            expect(f'pip install "fundclock[{extra}]"' in said, f"{words[0]} does not name its extra: {said}")
        expect(not (env.folder / "r.html").exists(), "a report was begun")
        said = env.ask("from fundclock import draw", code=1)
        expect('pip install "fundclock[figures]"' in said, f"draw does not name its extra: {said}")
    check_imports(env, without=NEED_EXTRAS)
    with step("a scenario of one's own, a sweep to Parquet"):
        env.run("init", "my.yaml")
        env.run("validate", "my.yaml")
        env.run("sweep", "base", "--sweep", "seed=1:2", "--workers", "2", "--store", "s.db", "-o", "rows.parquet")
        read = "from pyarrow import parquet; print(parquet.read_table('rows.parquet').num_rows)"
        expect(env.ask(read) == "2\n", "the sweep's file has not a row a cell")


def check_completion(env: Environment) -> None:
    """Whether a shell can be taught to complete commands."""
    if shutil.which("bash") is None:
        print("  bash is not at hand: completion is not tried")
        return
    with step("completion in bash"):
        for option in ("--show-completion", "--install-completion"):
            # The shell is looked up among the parents of the command; `:` keeps bash from becoming the command.
            program = f'"{env.path}/bin/fundclock" {option} bash; code=$?; :; exit $code'
            call("bash", "-c", program, cwd=env.folder, environ=env.environ)
        source = (env.folder / ".bash_completions" / "fundclock.sh").as_posix()
        program = (
            f'PATH="{env.path}/bin:$PATH"; source "{source}"; COMP_WORDS=(fundclock veri); COMP_CWORD=1; '
            '_fundclock_completion fundclock; echo "${COMPREPLY[@]}"'
        )
        said = call("bash", "-c", program, cwd=env.folder, environ=env.environ)
        expect(said == "verify\n", f"'fundclock veri' is completed to {said}")


def check_report(env: Environment) -> None:
    """Whether the figures are drawn."""
    with step("report and draw"):
        env.run("report", "last", "--store", "x.db", "-o", "r.html")
        expect("plotly" in (env.folder / "r.html").read_text(encoding="utf-8"), "the report has no figures")
        env.ask("from fundclock import Scenario, draw; draw(Scenario.load('base').run().figure('cash'))")


def check_service(env: Environment) -> None:
    """Whether the service answers, with the dashboard and its files."""
    with step("serve"):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = str(env.path / "bin" / "fundclock")
        words = [program, "serve", "--port", str(port), "--store", "x.db", "--workers", "1"]
        with (env.folder / "serve.log").open("wb") as log:
            served = subprocess.Popen(words, cwd=env.folder, env=env.environ, stdout=log, stderr=log)
        try:
            page = fetch(f"http://127.0.0.1:{port}/", served)
            for name in re.findall(r"/?(assets/[\w.]+)", page):
                fetch(f"http://127.0.0.1:{port}/{name}", served)
            expect("base" in fetch(f"http://127.0.0.1:{port}/api/v1/simulations", served), "the run is not listed")
        except Failed as failed:
            raise Failed(f"{failed}\n{(env.folder / 'serve.log').read_text(encoding='utf-8')}") from None
        finally:
            served.send_signal(signal.SIGTERM)
            try:
                served.wait(20)
            except subprocess.TimeoutExpired:
                served.kill()
                served.wait()


def fetch(url: str, served: "subprocess.Popen[bytes]") -> str:
    """What is served at an address, as soon as it is."""
    until = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(url, timeout=SECONDS) as answer:
                return str(answer.read().decode())
        except URLError as error:
            waiting = isinstance(error.reason, ConnectionError) and served.poll() is None
            expect(waiting and time.monotonic() < until, f"{url}: {error}")
            time.sleep(0.1)


def check_neighbour(env: Environment) -> None:
    """Whether a package that owns a module ``events`` and Fundclock leave each other alone."""
    with step("both have their own module events"):
        env.ask(
            "from events import Events\n"
            "import events, opensearchpy, fundclock.events.bus\n"
            "from importlib.metadata import files\n"
            "assert any(str(path) == 'events/__init__.py' for path in files('events')), 'not the neighbour'\n"
            "assert events.__file__ != fundclock.events.__file__ and not hasattr(events, 'bus')\n"
        )


def check_distributions(folder: Path) -> tuple[Path, Path, Metadata]:
    """Whether a wheel and a source distribution can be built that hold what they must; both, and their metadata."""
    print("Distributions")
    with step("a copy of the tree without links"):
        source = tree(folder / "tree")
        tree_files = files(source)
    with step("a source distribution"):
        sdist = build(source, "sdist", folder / "sdist")
    with step("a wheel"):
        wheel = build(source, "wheel", folder / "wheel")
    with step("the same wheel from the source distribution"):
        with tarfile.open(sdist) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        [unpacked] = (folder / "unpacked").iterdir()
        again = build(unpacked, "wheel", folder / "again")
        expect(contents(wheel) == contents(again), "the wheel from the source distribution is another")
    with step("they hold what the tree holds"):
        check_files(tree_files, sdist, wheel)
    with step("their metadata"):
        metadata = check_metadata(wheel)
    return sdist, wheel, metadata


def check_extras(env: Environment, wheel: Path, version: str) -> None:
    """The wheel alone, then with its extras, then beside a package that came later."""
    with step("install"):
        env.install(str(wheel))
    check_names(env)
    check_use(env, version)
    check_without_extras(env)
    check_completion(env)
    with step("install figures"):
        env.install("fundclock[figures]")
    check_report(env)
    with step("install all"):
        env.install("fundclock[all]")
    check_imports(env)
    check_service(env)
    with step("install opensearch-py"):
        env.install("opensearch-py", "Events")
    check_neighbour(env)
    check_use(env, version)


def check(folder: Path) -> None:
    """All checks. Raises Failed at the first that fails."""
    began = time.monotonic()
    sdist, wheel, metadata = check_distributions(folder)
    version, python = str(metadata.version), sys.executable

    print("The wheel, then its extras, then a package that owns a module events")
    check_extras(Environment(folder / "first", python), wheel, version)

    print("A package that owns a module events, then the wheel")
    env = Environment(folder / "second", python)
    with step("install opensearch-py"):
        env.install("opensearch-py", "Events")
    with step("install"):
        env.install(str(wheel))
    check_neighbour(env)
    check_names(env)
    check_use(env, version)

    print("The source distribution")
    env = Environment(folder / "third", python)
    with step("install"):
        env.install(str(sdist))
    check_names(env)
    check_use(env, version)

    at_hand = pythons(metadata)
    for name, found in at_hand.items():
        if found is None:
            print(f"Python {name} is claimed but not at hand: nothing was tried with it")
        elif found != python:
            print(f"Python {name}")
            env = Environment(folder / name, found)
            with step("install figures"):
                env.install(f"fundclock[figures] @ {wheel.as_uri()}")
            check_use(env, version)
            check_report(env)
    tried = ", ".join(name for name, found in at_hand.items() if found)
    print(f"The installation is as it must be, with Python {tried}; {time.monotonic() - began:.0f} s")


def main() -> None:
    """Run all checks; exit code 1 where one fails."""
    with TemporaryDirectory(prefix="fundclock-installation-") as folder:
        try:
            check(Path(folder).resolve())
        except Failed as failed:
            print(f" failed\n{failed}")
            sys.exit(1)


if __name__ == "__main__":
    main()
